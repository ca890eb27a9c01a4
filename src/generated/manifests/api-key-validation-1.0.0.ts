// Generated from policies/api-key-validation/v1.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "api-key-validation",
  "version": "1.0.0",
  "summary": "Lets a request pass only with a known, unexpired API key; keys are configured as SHA-256 digests.",
  "sdk": 1,
  "protects": true,
  "metadata": {
    "reads": [],
    "writes": {
      "auth": {
        "description": "Who the caller is. Every authentication policy writes this record.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "method",
          "subject"
        ],
        "properties": {
          "method": {
            "description": "How the caller was recognised: `api-key`, `jwt` ...",
            "type": "string"
          },
          "subject": {
            "description": "Who the caller is.",
            "type": "string"
          },
          "issuer": {
            "description": "Who vouches for the caller.",
            "type": "string"
          },
          "scopes": {
            "description": "What the caller may do.",
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "claims": {
            "description": "What else is known about the caller.",
            "type": "object",
            "additionalProperties": true
          }
        }
      }
    }
  },
  "mutates": [
    "query"
  ],
  "headers": {
    "request": [],
    "response": []
  },
  "replies": "sometimes",
  "parameters": {
    "type": "object",
    "description": "Where keys are looked for, and which there are.",
    "additionalProperties": false,
    "required": [
      "keys"
    ],
    "properties": {
      "places": {
        "description": "Where a key may be. All places are looked at, and a request may carry one key only: two are answered with 400. From 1 to 8.",
        "type": "array",
        "minItems": 1,
        "maxItems": 8,
        "default": [
          {
            "in": "header",
            "name": "x-api-key"
          }
        ],
        "examples": [
          [
            {
              "in": "header",
              "name": "x-api-key"
            },
            {
              "in": "cookie",
              "name": "api_key"
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/place"
        }
      },
      "keys": {
        "description": "The keys that are accepted. An owner can have several at once, so that a key is replaced without a gap. An empty list lets nobody in. At most 10000.",
        "type": "array",
        "maxItems": 10000,
        "items": {
          "$ref": "#/$defs/key"
        }
      },
      "requiredScopes": {
        "description": "Scopes that a key must have, all of them; else the answer is 403. At most 100.",
        "type": "array",
        "maxItems": 100,
        "uniqueItems": true,
        "default": [],
        "items": {
          "$ref": "#/$defs/scope"
        },
        "examples": [
          [
            "orders.read"
          ]
        ]
      },
      "forward": {
        "description": "Leaves the key in the request. By default it is taken out, so that upstreams, their logs and whoever reads them never have it.",
        "type": "boolean",
        "default": false
      },
      "realm": {
        "description": "What the key is for, shown to the client in `WWW-Authenticate` (RFC 9110 11.5). Visible ASCII and blanks without quotes and backslash, at most 100 characters.",
        "type": "string",
        "default": "api",
        "maxLength": 100,
        "pattern": "^[ !#-\\[\\]-~]*$"
      }
    },
    "$defs": {
      "place": {
        "description": "A header, query parameter or cookie.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "in",
          "name"
        ],
        "properties": {
          "in": {
            "description": "`header`: the whole value is the key. `query`: prefer a header where you can, queries end up in logs and browser histories. `cookie`: needs a defence against cross-site request forgery.",
            "type": "string",
            "enum": [
              "header",
              "query",
              "cookie"
            ]
          },
          "name": {
            "description": "Name of the header (in any case), query parameter or cookie (both exactly as written). Letters, digits, `.`, `_` and `-`, at most 64 characters.",
            "type": "string",
            "pattern": "^[A-Za-z0-9._-]+$",
            "maxLength": 64,
            "examples": [
              "x-api-key"
            ]
          }
        }
      },
      "key": {
        "description": "One key.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "digest",
          "owner"
        ],
        "properties": {
          "digest": {
            "description": "SHA-256 of the key, 64 hexadecimal digits, as `printf %s \"$KEY\" | sha256sum` prints it. May be a reference such as `${env:PARTNER_KEY_SHA256}`.",
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{64}$",
            "x-secret": "digest"
          },
          "owner": {
            "description": "Who uses the key: becomes `metadata.auth.subject`. From 1 to 256 characters, no control characters.",
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "pattern": "^[^\\x00-\\x1f\\x7f]*$",
            "examples": [
              "partner-a"
            ]
          },
          "scopes": {
            "description": "What the key may do; becomes `metadata.auth.scopes`. Visible ASCII without quotes and backslash (RFC 6749 3.3). At most 100.",
            "type": "array",
            "maxItems": 100,
            "uniqueItems": true,
            "items": {
              "$ref": "#/$defs/scope"
            },
            "examples": [
              [
                "orders.read"
              ]
            ]
          },
          "expires": {
            "description": "From this moment on the key is refused; in UTC, written as `2027-01-01T00:00:00Z`. Without it the key never expires.",
            "type": "string",
            "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$",
            "examples": [
              "2027-01-01T00:00:00Z"
            ]
          },
          "label": {
            "description": "Tells an owner's keys apart in logs. At most 256 characters, no control characters.",
            "type": "string",
            "maxLength": 256,
            "pattern": "^[^\\x00-\\x1f\\x7f]*$",
            "examples": [
              "rotated 2026-06"
            ]
          }
        }
      },
      "scope": {
        "description": "What a key may do.",
        "type": "string",
        "pattern": "^[!#-\\[\\]-~]+$",
        "maxLength": 256
      }
    }
  }
};
