// Generated from the manifests under policies/ by `npm run generate`.
import apiKeyValidation_1_0_0 from "../../policies/api-key-validation/v1.0.0/index.ts";
import { manifest as apiKeyValidation_1_0_0Manifest } from "./manifests/api-key-validation-1.0.0.ts";
import authorize_1_0_0 from "../../policies/authorize/v1.0.0/index.ts";
import { manifest as authorize_1_0_0Manifest } from "./manifests/authorize-1.0.0.ts";
import jwtValidation_1_0_0 from "../../policies/jwt-validation/v1.0.0/index.ts";
import { manifest as jwtValidation_1_0_0Manifest } from "./manifests/jwt-validation-1.0.0.ts";
import jwtValidation_2_0_0 from "../../policies/jwt-validation/v2.0.0/index.ts";
import { manifest as jwtValidation_2_0_0Manifest } from "./manifests/jwt-validation-2.0.0.ts";
import mask_1_0_0 from "../../policies/mask/v1.0.0/index.ts";
import { manifest as mask_1_0_0Manifest } from "./manifests/mask-1.0.0.ts";
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
    hash: "3ab706488e9c6b5e3ec316053156c2ecbe2ba9dab7bbd47109cfb13dd427e3a0",
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
    hash: "185b2b71bd2e3d9ca80bacf263da8253a8270667e8e61a09fe43bd2021112942",
  },
  {
    manifest: jwtValidation_2_0_0Manifest,
    definition: jwtValidation_2_0_0,
    source: "policies/jwt-validation/v2.0.0",
    hash: "c987189f435ff9ab62674080e57e93af61b8cd3e03084b6d52c842146f90368f",
  },
  {
    manifest: mask_1_0_0Manifest,
    definition: mask_1_0_0,
    source: "policies/mask/v1.0.0",
    hash: "9253d9831c238dd18753854bf5a4ef57f9ce9425fd909b72237d6b466e7ee2b7",
  },
  {
    manifest: setHeader_1_0_0Manifest,
    definition: setHeader_1_0_0,
    source: "policies/set-header/v1.0.0",
    hash: "4f6edce68ab379777331bd88e03651e8c50d8631e8e1f28c268ccda09843dd39",
  },
  {
    manifest: setHeader_2_0_0Manifest,
    definition: setHeader_2_0_0,
    source: "policies/set-header/v2.0.0",
    hash: "1977efcd7b2f8755790b6868425344062df97e3d92c8c98e572c82557c65b6d4",
  },
];

/** The policies that are compiled in, by `name@version`. */
export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));
