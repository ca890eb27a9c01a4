// Generated from policies/jwt-validation/v1.0.0/policy.yaml by `npm run generate`.
import type { PolicyManifest } from "../../config/types.ts";

export const manifest: PolicyManifest = {
  "name": "jwt-validation",
  "version": "1.0.0",
  "summary": "Lets a request pass only with a good JSON Web Token of one issuer in its authorization header.",
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
  "mutates": [],
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
    "description": "Whose tokens are taken, and what is told to the upstream.",
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
      "audience": {
        "description": "Whom a token must be for: one of its `aud`. Without it a token for anybody is taken, which is right only where the issuer issues tokens for nobody else.",
        "type": "string",
        "minLength": 1,
        "maxLength": 2048,
        "examples": [
          "https://api.example.com"
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
            }
          ]
        ],
        "items": {
          "$ref": "#/$defs/claimToHeader"
        }
      }
    },
    "$defs": {
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
            "description": "The name of the claim.",
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "examples": [
              "sub"
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
