// Generated from policies/mask/v1.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "mask",
  "version": "1.0.0",
  "summary": "Masks personal data and secrets in request and response bodies as they pass, by kind, by pattern or by JSON path.",
  "sdk": 1,
  "protects": true,
  "metadata": {
    "reads": [],
    "writes": {}
  },
  "mutates": [],
  "headers": {
    "request": [],
    "response": []
  },
  "replies": "sometimes",
  "parameters": {
    "type": "object",
    "description": "At least one of the two directions.",
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
        "description": "What is masked in requests before the upstream sees them.",
        "$ref": "#/$defs/direction"
      },
      "response": {
        "description": "What is masked in responses, replies included, before the client sees them.",
        "$ref": "#/$defs/direction"
      }
    },
    "$defs": {
      "direction": {
        "description": "What is masked in the bodies of one direction.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "rules"
        ],
        "properties": {
          "rules": {
            "description": "Applied in the order written, each to what the one before has left; values at a `path` first. From 1 to 100.",
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
              "$ref": "#/$defs/rule"
            },
            "examples": [
              [
                {
                  "detect": "credit-card",
                  "keepLast": 4
                },
                {
                  "path": "$..password"
                }
              ]
            ]
          },
          "otherContent": {
            "description": "What becomes of a body that cannot be masked: of a content type that is neither JSON, JSON lines, server-sent events nor text, in another character set than UTF-8, or of text when there are only rules with `path`. `deny` answers 415 to a request and 502 in place of a response; `pass` lets it through as it is.",
            "type": "string",
            "enum": [
              "deny",
              "pass"
            ],
            "default": "deny"
          },
          "heldBytesMax": {
            "description": "What is held of a body at most, in bytes: a JSON document, an event, a line, or a text when a pattern has no bound. A larger one ends the exchange. From 1024 to 10485760, 10 MiB.",
            "type": "integer",
            "minimum": 1024,
            "maximum": 10485760,
            "default": 1048576
          }
        }
      },
      "rule": {
        "description": "What is masked, exactly one of `detect`, `pattern` and `path`, and what takes its place: `replaceWith`, followed by what `keepLast` or `hmacKey` adds.",
        "type": "object",
        "additionalProperties": false,
        "oneOf": [
          {
            "required": [
              "detect"
            ]
          },
          {
            "required": [
              "pattern"
            ]
          },
          {
            "required": [
              "path"
            ]
          }
        ],
        "properties": {
          "detect": {
            "description": "A kind of data. `email`: an address with a domain of two or more labels. `credit-card`: 13 to 19 digits with a right check digit, together or in the groups of a card. `iban`: an account number with right check digits, together or in groups of four.",
            "type": "string",
            "enum": [
              "email",
              "credit-card",
              "iban"
            ]
          },
          "pattern": {
            "description": "RE2 pattern, matched on decoded text: in JSON on every string, number and member name. It may match anywhere; one that matches the empty text is refused. With a bound on its length (`{1,64}`, not `+`) text is masked as it passes.",
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "x-regex": true,
            "examples": [
              "sk-[A-Za-z0-9]{20,64}"
            ]
          },
          "path": {
            "description": "JSONPath (RFC 9535) with names, indices, `*` and `..`; filters, slices and lists of selectors are refused. Whatever stands there is replaced by a string, also a number, an object or null.",
            "type": "string",
            "minLength": 1,
            "maxLength": 512,
            "pattern": "^\\$",
            "examples": [
              "$.user.ssn",
              "$..password",
              "$.cards[*]['number']"
            ]
          },
          "replaceWith": {
            "description": "What takes the place of a match. At most 256 characters, no control characters.",
            "type": "string",
            "maxLength": 256,
            "pattern": "^[^\\x00-\\x1f\\x7f]*$",
            "default": "***"
          },
          "keepLast": {
            "description": "The last characters of what is masked that stay behind `replaceWith`, but never more than half of it. From 1 to 16.",
            "type": "integer",
            "minimum": 1,
            "maximum": 16,
            "examples": [
              4
            ]
          },
          "hmacKey": {
            "description": "Adds a pseudonym: 32 hexadecimal digits of HMAC-SHA256 over what is masked, the same for the same text. From 16 to 256 characters; use a reference such as `${env:MASK_KEY}`. Not together with `keepLast`.",
            "type": "string",
            "minLength": 16,
            "maxLength": 256,
            "x-secret": true
          }
        }
      }
    }
  }
};
