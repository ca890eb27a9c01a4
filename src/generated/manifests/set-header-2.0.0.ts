// Generated from policies/set-header/v2.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "set-header",
  "version": "2.0.0",
  "summary": "Sets, appends, removes or renames request and response headers, each change under a condition of its own.",
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
        "name": "/request/*/set/name",
        "unless": [
          "ifAbsent",
          "when"
        ]
      },
      {
        "kind": "sets",
        "name": "/request/*/setFrom/name",
        "unless": [
          "ifAbsent",
          "when"
        ]
      },
      {
        "kind": "sets",
        "name": "/request/*/appendFrom/name",
        "unless": [
          "expression"
        ]
      },
      {
        "kind": "sets",
        "name": "/request/*/rename/to",
        "unless": [
          "from"
        ]
      },
      {
        "kind": "removes",
        "name": "/request/*/remove/name",
        "unless": [
          "when"
        ]
      }
    ],
    "response": [
      {
        "kind": "sets",
        "name": "/response/*/set/name",
        "unless": [
          "ifAbsent",
          "when"
        ]
      },
      {
        "kind": "sets",
        "name": "/response/*/setFrom/name",
        "unless": [
          "ifAbsent",
          "when"
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
        "description": "Changes of the request before the upstream sees it, made in the order written: a later change, its condition too, works on what an earlier one left. From 1 to 100.",
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "examples": [
          [
            {
              "setFrom": {
                "name": "x-user",
                "expression": "metadata.auth.subject"
              }
            },
            {
              "removeMatching": {
                "pattern": "^x-internal-"
              }
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
              "remove": {
                "name": "x-powered-by"
              }
            },
            {
              "set": {
                "name": "cache-control",
                "value": "no-store",
                "ifAbsent": true
              }
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
        "description": "One change: exactly one of `set`, `setFrom`, `append`, `appendFrom`, `remove`, `removeMatching`, `rename`. For two changes write two entries.",
        "additionalProperties": false,
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
          },
          {
            "required": [
              "removeMatching"
            ]
          },
          {
            "required": [
              "rename"
            ]
          }
        ],
        "properties": {
          "set": {
            "description": "Replaces every value of a header by a text.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "name",
              "value"
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
              "value": {
                "description": "The text: at least one character, at most 8192, no control characters (RFC 9110 5.5). For no value at all use `remove`.",
                "type": "string",
                "minLength": 1,
                "maxLength": 8192,
                "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$",
                "examples": [
                  "acme"
                ]
              },
              "ifAbsent": {
                "description": "Leaves a header that is already there as it is, even an empty one. Not for a header that says who the caller is: the caller could send it.",
                "type": "boolean",
                "default": false
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "setFrom": {
            "description": "Replaces every value of a header by what an expression gives. An empty text means that there is no value: the header is removed.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "name",
              "expression"
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
              "expression": {
                "description": "CEL expression that gives the text. When it fails, the step fails.",
                "type": "string",
                "x-expression": "string",
                "examples": [
                  "metadata.auth.subject"
                ]
              },
              "ifAbsent": {
                "description": "Leaves a header that is already there as it is, even an empty one. Not for a header that says who the caller is: the caller could send it.",
                "type": "boolean",
                "default": false
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "append": {
            "description": "Adds a text as one more value of a header after those that are there.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "name",
              "value"
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
              "value": {
                "description": "The text: at least one character, at most 8192, no control characters (RFC 9110 5.5). For no value at all use `remove`.",
                "type": "string",
                "minLength": 1,
                "maxLength": 8192,
                "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$",
                "examples": [
                  "acme"
                ]
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "appendFrom": {
            "description": "Adds what an expression gives as one more value of a header after those that are there. An empty text adds nothing.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "name",
              "expression"
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
              "expression": {
                "description": "CEL expression that gives the text. When it fails, the step fails.",
                "type": "string",
                "x-expression": "string",
                "examples": [
                  "metadata.auth.subject"
                ]
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "remove": {
            "description": "Removes every value of a header. Nothing happens when it is absent.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "name"
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
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "removeMatching": {
            "description": "Removes every header whose name matches a pattern. Names that no policy may change stay.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "pattern"
            ],
            "properties": {
              "pattern": {
                "description": "RE2 pattern, tried on the name in lower case. It may match anywhere in the name: begin with `^` for a prefix. Capital letters are refused, because they would never match.",
                "type": "string",
                "minLength": 1,
                "maxLength": 256,
                "x-regex": true,
                "examples": [
                  "^x-internal-"
                ]
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          },
          "rename": {
            "description": "Moves every value of the header `from` to the header `to` in place of what that held. Nothing happens when `from` is absent.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "from",
              "to"
            ],
            "properties": {
              "from": {
                "description": "Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are Envoy's and the engine's.",
                "type": "string",
                "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                "maxLength": 256,
                "examples": [
                  "x-tenant"
                ]
              },
              "to": {
                "description": "Header name, in any case (RFC 9110 5.1). Not `host`, `content-length`, `x-decision-id`, `x-envoy*` or a hop-by-hop name: these are Envoy's and the engine's.",
                "type": "string",
                "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                "maxLength": 256,
                "examples": [
                  "x-tenant"
                ]
              },
              "when": {
                "description": "CEL condition, decided when the change is reached; while it is false nothing is changed and a header that the client sent stays. When it fails, the step fails.",
                "type": "string",
                "x-expression": "bool",
                "examples": [
                  "request.headers[?\"x-debug\"].orValue(\"\") == \"1\""
                ]
              }
            }
          }
        }
      }
    }
  }
};
