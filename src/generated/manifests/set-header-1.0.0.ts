// Generated from policies/set-header/v1.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "set-header",
  "version": "1.0.0",
  "summary": "Sets, appends or removes request and response headers.",
  "sdk": 1,
  "protects": false,
  "metadata": {
    "reads": [],
    "writes": {}
  },
  "mutates": [],
  "headers": {
    "request": [
      {
        "kind": "sets",
        "name": "/request/*/name",
        "unless": [
          "append",
          "appendFrom",
          "remove"
        ]
      },
      {
        "kind": "removes",
        "name": "/request/*/name",
        "unless": [
          "set",
          "setFrom",
          "append",
          "appendFrom"
        ]
      }
    ],
    "response": [
      {
        "kind": "sets",
        "name": "/response/*/name",
        "unless": [
          "append",
          "appendFrom",
          "remove"
        ]
      }
    ]
  },
  "replies": "sometimes",
  "parameters": {
    "type": "object",
    "description": "At least one of the two lists.",
    "additionalProperties": false,
    "anyOf": [
      {
        "required": [
          "request"
        ]
      },
      {
        "required": [
          "response"
        ]
      }
    ],
    "properties": {
      "request": {
        "description": "Changes of the request before the upstream sees it, made in the order written: a later change works on what an earlier one left. From 1 to 100.",
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "examples": [
          [
            {
              "name": "x-user",
              "setFrom": "metadata.auth.subject"
            },
            {
              "name": "x-debug",
              "remove": true
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/change"
        }
      },
      "response": {
        "description": "Changes of the response before the client sees it, on the upstream's answers and on replies; as for `request`. From 1 to 100.",
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "examples": [
          [
            {
              "name": "x-powered-by",
              "remove": true
            },
            {
              "name": "x-frame-options",
              "set": "DENY"
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/change"
        }
      }
    },
    "$defs": {
      "change": {
        "type": "object",
        "description": "One change: the `name` of a header and exactly one of `set`, `setFrom`, `append`, `appendFrom`, `remove`.",
        "additionalProperties": false,
        "required": [
          "name"
        ],
        "oneOf": [
          {
            "required": [
              "set"
            ]
          },
          {
            "required": [
              "setFrom"
            ]
          },
          {
            "required": [
              "append"
            ]
          },
          {
            "required": [
              "appendFrom"
            ]
          },
          {
            "required": [
              "remove"
            ]
          }
        ],
        "properties": {
          "name": {
            "description": "Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are Envoy's and the engine's.",
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
            "maxLength": 256,
            "examples": [
              "x-tenant"
            ]
          },
          "set": {
            "description": "Replaces every value of the header by this text. May be empty; no control characters (RFC 9110 5.5); at most 8192 characters.",
            "type": "string",
            "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$",
            "maxLength": 8192,
            "examples": [
              "acme"
            ]
          },
          "setFrom": {
            "description": "Replaces every value of the header by what this CEL expression gives, an empty text too. When the expression fails, the step fails.",
            "type": "string",
            "x-expression": "string",
            "examples": [
              "metadata.auth.subject"
            ]
          },
          "append": {
            "description": "Adds this text as one more value after those that are there. At most 8192 characters, no control characters.",
            "type": "string",
            "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$",
            "maxLength": 8192,
            "examples": [
              "accept-encoding"
            ]
          },
          "appendFrom": {
            "description": "Adds what this CEL expression gives as one more value after those that are there. When the expression fails, the step fails.",
            "type": "string",
            "x-expression": "string",
            "examples": [
              "request.method"
            ]
          },
          "remove": {
            "description": "Removes every value of the header. Nothing happens when it is absent.",
            "type": "boolean",
            "const": true
          }
        }
      }
    }
  }
};
