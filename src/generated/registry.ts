// Generated from the manifests under policies/ by `npm run generate`.
import apiKeyValidation_1_0_0 from "../../policies/api-key-validation/v1.0.0/index.ts";
import { manifest as apiKeyValidation_1_0_0Manifest } from "./manifests/api-key-validation-1.0.0.ts";
import authorize_1_0_0 from "../../policies/authorize/v1.0.0/index.ts";
import { manifest as authorize_1_0_0Manifest } from "./manifests/authorize-1.0.0.ts";
import jwtValidation_1_0_0 from "../../policies/jwt-validation/v1.0.0/index.ts";
import { manifest as jwtValidation_1_0_0Manifest } from "./manifests/jwt-validation-1.0.0.ts";
import jwtValidation_2_0_0 from "../../policies/jwt-validation/v2.0.0/index.ts";
import { manifest as jwtValidation_2_0_0Manifest } from "./manifests/jwt-validation-2.0.0.ts";
import setHeader_1_0_0 from "../../policies/set-header/v1.0.0/index.ts";
import { manifest as setHeader_1_0_0Manifest } from "./manifests/set-header-1.0.0.ts";
import setHeader_2_0_0 from "../../policies/set-header/v2.0.0/index.ts";
import { manifest as setHeader_2_0_0Manifest } from "./manifests/set-header-2.0.0.ts";
import type { PolicyRegistry, PolicyRelease } from "../config/types.ts";

const releases: readonly PolicyRelease[] = [
  {
    manifest: apiKeyValidation_1_0_0Manifest,
    definition: apiKeyValidation_1_0_0,
    source: "policies/api-key-validation/v1.0.0",
    hash: "e0e963bf9fb4aa81190a49b52afebdfcb290e0bd1478eb18570dbbb0bdb261c8",
  },
  {
    manifest: authorize_1_0_0Manifest,
    definition: authorize_1_0_0,
    source: "policies/authorize/v1.0.0",
    hash: "9eeb4d44781ed4324c12460a02e403c05dac3f6ddf5649b3c57894abd58a336d",
  },
  {
    manifest: jwtValidation_1_0_0Manifest,
    definition: jwtValidation_1_0_0,
    source: "policies/jwt-validation/v1.0.0",
    hash: "b38bf75e50da8625d5df0b0d1da27eecb41d8b79ef1ea0613f355ae45e7627b1",
  },
  {
    manifest: jwtValidation_2_0_0Manifest,
    definition: jwtValidation_2_0_0,
    source: "policies/jwt-validation/v2.0.0",
    hash: "5e7d934ae228053e11a26bfad18bb994d9e2152137704ce32f4034ddce8ef53d",
  },
  {
    manifest: setHeader_1_0_0Manifest,
    definition: setHeader_1_0_0,
    source: "policies/set-header/v1.0.0",
    hash: "ecd72ef7ad7564b3a40825546bdeb005ae230f746246e6baa7ed20a6ae861dba",
  },
  {
    manifest: setHeader_2_0_0Manifest,
    definition: setHeader_2_0_0,
    source: "policies/set-header/v2.0.0",
    hash: "4cd552243a02369d6cc68f432c80689760db111406c0beddf804d60cc4911cce",
  },
];

/** The policies that are compiled in, by `name@version`. */
export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));
