// Generated from policies/authorize/v1.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "authorize",
  "version": "1.0.0",
  "summary": "Allows or denies a request by ordered CEL rules; what no rule allows is denied.",
  "sdk": 1,
  "protects": true,
  "metadata": {
    "reads": [],
    "writes": {
      "authorization": {
        "description": "The rule that allowed the request.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "code"
        ],
        "properties": {
          "code": {
            "description": "The rule's code.",
            "type": "string"
          },
          "reason": {
            "description": "The rule's reason.",
            "type": "string"
          }
        }
      }
    }
  },
  "mutates": [],
  "headers": {
    "request": [],
    "response": []
  },
  "replies": "sometimes",
  "parameters": {
    "type": "object",
    "description": "The rules.",
    "additionalProperties": false,
    "required": [
      "rules"
    ],
    "properties": {
      "rules": {
        "description": "Tried in the order written; the first whose condition holds decides, and the rest is not looked at. When none holds, or there is none, the request is denied with 403. At most 100.",
        "type": "array",
        "maxItems": 100,
        "examples": [
          [
            {
              "deny": {
                "when": "!(request.method in ['GET', 'HEAD'])",
                "code": "read-only"
              }
            },
            {
              "allow": {
                "when": "\"orders.read\" in metadata.auth.?scopes.orValue([])",
                "code": "readers"
              }
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/rule"
        }
      }
    },
    "$defs": {
      "rule": {
        "description": "One rule: exactly one of `allow` and `deny`.",
        "type": "object",
        "additionalProperties": false,
        "oneOf": [
          {
            "required": [
              "allow"
            ]
          },
          {
            "required": [
              "deny"
            ]
          }
        ],
        "properties": {
          "allow": {
            "description": "Lets the request go on when its condition holds.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "when",
              "code"
            ],
            "properties": {
              "when": {
                "description": "CEL condition. When it fails while a request is judged, the step fails and the request is denied with 500: nothing is decided by a rule that could not be asked. `\"true\"` for a rule that always holds.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "metadata.auth.subject == \"alice\""
                ]
              },
              "code": {
                "description": "Names the rule in logs, metrics, explanations and, for `allow`, in `metadata.authorization.code`. Kebab-case, at most 64 characters.",
                "type": "string",
                "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$",
                "maxLength": 64,
                "examples": [
                  "readers"
                ]
              },
              "reason": {
                "description": "For people who read the log or an explanation; never sent to the client. At most 256 characters.",
                "type": "string",
                "minLength": 1,
                "maxLength": 256,
                "examples": [
                  "partners may read orders"
                ]
              }
            }
          },
          "deny": {
            "description": "Answers the request when its condition holds.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "when",
              "code"
            ],
            "properties": {
              "when": {
                "description": "CEL condition. When it fails while a request is judged, the step fails and the request is denied with 500: nothing is decided by a rule that could not be asked. `\"true\"` for a rule that always holds.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "metadata.auth.subject == \"alice\""
                ]
              },
              "code": {
                "description": "Names the rule in logs, metrics, explanations and, for `allow`, in `metadata.authorization.code`. Kebab-case, at most 64 characters.",
                "type": "string",
                "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$",
                "maxLength": 64,
                "examples": [
                  "readers"
                ]
              },
              "reason": {
                "description": "For people who read the log or an explanation; never sent to the client. At most 256 characters.",
                "type": "string",
                "minLength": 1,
                "maxLength": 256,
                "examples": [
                  "partners may read orders"
                ]
              },
              "status": {
                "description": "HTTP status of the answer, from 400 to 599. 401 is for a caller who is not known yet and needs a `challenge`; 403 for one who is known and may not; 404 hides that there is something.",
                "type": "integer",
                "minimum": 400,
                "maximum": 599,
                "default": 403
              },
              "challenge": {
                "description": "Value of `WWW-Authenticate` (RFC 9110 11.6.1): how to authenticate. A 401 must have one. Visible ASCII and blanks, at most 1024 characters.",
                "type": "string",
                "minLength": 1,
                "maxLength": 1024,
                "pattern": "^[ -~]*$",
                "examples": [
                  "Bearer realm=\"api\""
                ]
              }
            }
          }
        }
      }
    }
  }
};
