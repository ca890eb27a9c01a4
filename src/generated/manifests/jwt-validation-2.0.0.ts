// Generated from policies/jwt-validation/v2.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "jwt-validation",
  "version": "2.0.0",
  "summary": "Lets a request pass only with a good JSON Web Token of one of several issuers, with the scopes and claims it needs.",
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
    "request": [
      {
        "kind": "sets",
        "name": "/claimsToHeaders/*/header",
        "unless": []
      }
    ],
    "response": []
  },
  "replies": "sometimes",
  "parameters": {
    "type": "object",
    "description": "Whose tokens are taken, where they are looked for, what they must allow, and what is told to the upstream.",
    "additionalProperties": false,
    "required": [
      "issuers"
    ],
    "properties": {
      "issuers": {
        "description": "Whose tokens are taken. From 1 to 20.",
        "type": "array",
        "minItems": 1,
        "maxItems": 20,
        "items": {
          "$ref": "#/$defs/issuer"
        },
        "examples": [
          [
            {
              "issuer": "https://login.example.com",
              "jwks": {
                "uri": "https://login.example.com/keys"
              }
            }
          ]
        ]
      },
      "token": {
        "description": "Where a token may be. All places are looked at, and a request may carry one token only: two are answered with 400. From 1 to 8.",
        "type": "array",
        "minItems": 1,
        "maxItems": 8,
        "default": [
          {
            "in": "header",
            "name": "authorization"
          }
        ],
        "items": {
          "$ref": "#/$defs/place"
        },
        "examples": [
          [
            {
              "in": "header",
              "name": "authorization"
            },
            {
              "in": "cookie",
              "name": "access_token"
            }
          ]
        ]
      },
      "clockSkewSeconds": {
        "description": "How far the clocks of issuers and of this machine may be apart, when `exp` and `nbf` are judged. From 0 to 300.",
        "type": "integer",
        "minimum": 0,
        "maximum": 300,
        "default": 30
      },
      "require": {
        "description": "What a good token must allow; else the answer is 403.",
        "type": "object",
        "additionalProperties": false,
        "default": {},
        "properties": {
          "scopes": {
            "description": "Scopes, from `scope` (RFC 8693 4.2) or `scp`. Both lists must hold; an empty one demands nothing.",
            "type": "object",
            "additionalProperties": false,
            "default": {},
            "properties": {
              "allOf": {
                "description": "All of these. At most 32.",
                "type": "array",
                "maxItems": 32,
                "default": [],
                "items": {
                  "$ref": "#/$defs/scope"
                }
              },
              "anyOf": {
                "description": "One of these. At most 32.",
                "type": "array",
                "maxItems": 32,
                "default": [],
                "items": {
                  "$ref": "#/$defs/scope"
                }
              }
            },
            "examples": [
              {
                "allOf": [
                  "orders.read"
                ]
              }
            ]
          },
          "claims": {
            "description": "Claims. Both lists must hold; an empty one demands nothing.",
            "type": "object",
            "additionalProperties": false,
            "default": {},
            "properties": {
              "allOf": {
                "description": "All of these. At most 32.",
                "type": "array",
                "maxItems": 32,
                "default": [],
                "items": {
                  "$ref": "#/$defs/claimCondition"
                }
              },
              "anyOf": {
                "description": "One of these. At most 32.",
                "type": "array",
                "maxItems": 32,
                "default": [],
                "items": {
                  "$ref": "#/$defs/claimCondition"
                }
              }
            },
            "examples": [
              {
                "anyOf": [
                  {
                    "claim": "groups",
                    "values": [
                      "operators"
                    ]
                  }
                ]
              }
            ]
          }
        }
      },
      "claimsToHeaders": {
        "description": "Claims that become request headers. What the client sent under these names is removed first, also when the claim is absent. At most 32.",
        "type": "array",
        "maxItems": 32,
        "default": [],
        "examples": [
          [
            {
              "claim": "sub",
              "header": "x-user"
            },
            {
              "claim": [
                "realm_access",
                "roles"
              ],
              "header": "x-roles"
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/claimToHeader"
        }
      },
      "claimsToMetadata": {
        "description": "Names of claims that steps after this one can read as `metadata.auth.claims`. Method, subject, issuer and scopes are always there. At most 32.",
        "type": "array",
        "maxItems": 32,
        "uniqueItems": true,
        "default": [],
        "items": {
          "type": "string",
          "minLength": 1,
          "maxLength": 256
        },
        "examples": [
          [
            "email",
            "groups"
          ]
        ]
      },
      "forward": {
        "description": "Leaves the token in the request. By default it is taken out, so that upstreams, their logs and whoever reads them never have it.",
        "type": "boolean",
        "default": false
      },
      "realm": {
        "description": "What the token is for, shown to the client in `WWW-Authenticate` (RFC 9110 11.5). Visible ASCII and blanks without quotes and backslash, at most 100 characters.",
        "type": "string",
        "default": "api",
        "maxLength": 100,
        "pattern": "^[ !#-\\[\\]-~]*$"
      }
    },
    "$defs": {
      "issuer": {
        "description": "An issuer and its keys.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "issuer",
          "jwks"
        ],
        "properties": {
          "issuer": {
            "description": "Who issues the tokens, exactly as in their claim `iss`.",
            "type": "string",
            "minLength": 1,
            "maxLength": 2048,
            "examples": [
              "https://login.example.com"
            ]
          },
          "audiences": {
            "description": "Whom a token must be for: one of these must be one of its `aud`. Empty takes a token for anybody, which is right only where the issuer issues tokens for nobody else. At most 32.",
            "type": "array",
            "maxItems": 32,
            "uniqueItems": true,
            "default": [],
            "items": {
              "type": "string",
              "minLength": 1,
              "maxLength": 2048
            },
            "examples": [
              [
                "https://api.example.com"
              ]
            ]
          },
          "algorithms": {
            "description": "The algorithms that the issuer may sign with. By default all that are supported; a key is good only for those that fit its type and its own `alg`. Symmetric ones and `none` do not exist here.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "default": [
              "RS256",
              "RS384",
              "RS512",
              "PS256",
              "PS384",
              "PS512",
              "ES256",
              "ES384",
              "ES512",
              "EdDSA",
              "Ed25519"
            ],
            "items": {
              "type": "string",
              "enum": [
                "RS256",
                "RS384",
                "RS512",
                "PS256",
                "PS384",
                "PS512",
                "ES256",
                "ES384",
                "ES512",
                "EdDSA",
                "Ed25519"
              ]
            },
            "examples": [
              [
                "RS256"
              ]
            ]
          },
          "jwks": {
            "description": "The issuer's public keys, from exactly one place: `uri` (fetched and kept fresh), `file` (watched) or `keys` (written here).",
            "type": "object",
            "additionalProperties": false,
            "oneOf": [
              {
                "required": [
                  "uri"
                ]
              },
              {
                "required": [
                  "file"
                ]
              },
              {
                "required": [
                  "keys"
                ]
              }
            ],
            "dependentRequired": {
              "ca": [
                "uri"
              ]
            },
            "examples": [
              {
                "uri": "https://login.example.com/keys"
              }
            ],
            "properties": {
              "uri": {
                "description": "Where the issuer publishes its JWK set (RFC 7517 5): https, or http on this machine only. Redirects are refused, an answer may have 512 KiB and 100 keys and take 5 s.",
                "type": "string",
                "maxLength": 2048,
                "pattern": "^(?:https://[^\\s/?#@]+|http://(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?::\\d+)?)(?:[/?][^\\s#]*)?$"
              },
              "ca": {
                "description": "Certificates as PEM that vouch for the issuer's server, in place of those that Node trusts. Usually a reference such as `${file:/etc/ssl/private-ca.pem}`.",
                "type": "string",
                "minLength": 1
              },
              "refreshSeconds": {
                "description": "How old keys from a `uri` are when they are fetched again, at most. From 10 to 86400.",
                "type": "integer",
                "minimum": 10,
                "maximum": 86400,
                "default": 300
              },
              "staleSeconds": {
                "description": "How old keys from a `uri` may become while the issuer is away; older ones verify nothing, and the answer is 503. More than `refreshSeconds`, from 60 to 604800.",
                "type": "integer",
                "minimum": 60,
                "maximum": 604800,
                "default": 86400
              },
              "file": {
                "description": "Path of a JWK set; a relative one starts at the working directory of the engine. A change takes effect without a restart, a broken one changes nothing.",
                "type": "string",
                "minLength": 1
              },
              "keys": {
                "description": "JSON Web Keys (RFC 7517 4), public ones. From 1 to 100.",
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {
                  "$ref": "#/$defs/jwk"
                }
              }
            }
          }
        }
      },
      "place": {
        "description": "A header, cookie or query parameter.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "in",
          "name"
        ],
        "properties": {
          "in": {
            "description": "`header`: in `authorization` the token follows `Bearer`, in any other it is the whole value. `cookie`: needs a defence against cross-site request forgery. `query`: prefer a header where you can (RFC 6750 2.3), queries end up in logs and browser histories.",
            "type": "string",
            "enum": [
              "header",
              "cookie",
              "query"
            ]
          },
          "name": {
            "description": "Name of the header (in any case), cookie or query parameter (both exactly as written). Letters, digits, `.`, `_` and `-`, at most 64 characters.",
            "type": "string",
            "pattern": "^[A-Za-z0-9._-]+$",
            "maxLength": 64,
            "examples": [
              "authorization"
            ]
          }
        }
      },
      "scope": {
        "description": "A scope: visible ASCII without quotes and backslash (RFC 6749 3.3).",
        "type": "string",
        "pattern": "^[!#-\\[\\]-~]+$",
        "maxLength": 256
      },
      "claimCondition": {
        "description": "The claim is one of the values, or a list with one of them. Numbers and booleans are compared as JSON writes them.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "claim",
          "values"
        ],
        "properties": {
          "claim": {
            "description": "The name of a claim, or the names on the way to one inside of another.",
            "oneOf": [
              {
                "type": "string",
                "minLength": 1,
                "maxLength": 256
              },
              {
                "type": "array",
                "minItems": 1,
                "maxItems": 8,
                "items": {
                  "type": "string",
                  "minLength": 1,
                  "maxLength": 256
                }
              }
            ],
            "examples": [
              "groups",
              [
                "realm_access",
                "roles"
              ]
            ]
          },
          "values": {
            "description": "From 1 to 100.",
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
              "type": "string",
              "maxLength": 256
            }
          }
        }
      },
      "claimToHeader": {
        "description": "A claim and its header.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "claim",
          "header"
        ],
        "properties": {
          "claim": {
            "description": "The name of a claim, or the names on the way to one inside of another.",
            "oneOf": [
              {
                "type": "string",
                "minLength": 1,
                "maxLength": 256
              },
              {
                "type": "array",
                "minItems": 1,
                "maxItems": 8,
                "items": {
                  "type": "string",
                  "minLength": 1,
                  "maxLength": 256
                }
              }
            ],
            "examples": [
              "groups",
              [
                "realm_access",
                "roles"
              ]
            ]
          },
          "header": {
            "description": "The request header, in any case; not `authorization`, `cookie`, hop-by-hop or `x-envoy*` names. At most 64 characters.",
            "type": "string",
            "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
            "maxLength": 64,
            "examples": [
              "x-user"
            ]
          }
        }
      },
      "jwk": {
        "description": "A public key. What an issuer publishes can be copied as it is; members that say nothing here are ignored.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "kty"
        ],
        "properties": {
          "kty": {
            "description": "The type of the key.",
            "type": "string",
            "enum": [
              "RSA",
              "EC",
              "OKP"
            ]
          },
          "kid": {
            "description": "The name that tokens call it by.",
            "type": "string",
            "minLength": 1,
            "maxLength": 256
          },
          "alg": {
            "description": "The only algorithm it is for. Without it: every one that fits its type.",
            "type": "string"
          },
          "use": {
            "description": "What it is for: `sig`.",
            "type": "string"
          },
          "key_ops": {
            "description": "What it is for: `verify` must be among them.",
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "n": {
            "description": "RSA: the modulus, 2048 bits or more.",
            "type": "string"
          },
          "e": {
            "description": "RSA: the public exponent.",
            "type": "string"
          },
          "crv": {
            "description": "EC and OKP: the curve, `P-256`, `P-384`, `P-521` or `Ed25519`.",
            "type": "string"
          },
          "x": {
            "description": "EC and OKP: the point, or its x.",
            "type": "string"
          },
          "y": {
            "description": "EC: the point's y.",
            "type": "string"
          },
          "ext": {
            "description": "Ignored.",
            "type": "boolean"
          },
          "x5c": {
            "description": "Ignored.",
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "x5t": {
            "description": "Ignored.",
            "type": "string"
          },
          "x5t#S256": {
            "description": "Ignored.",
            "type": "string"
          },
          "x5u": {
            "description": "Ignored.",
            "type": "string"
          }
        }
      }
    }
  }
};
