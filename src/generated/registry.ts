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
    hash: "47178862006c7a9c4f6f7b0fa2a85f38dc0c31c7bf99ca8d3824e16c7f896207",
  },
  {
    manifest: authorize_1_0_0Manifest,
    definition: authorize_1_0_0,
    source: "policies/authorize/v1.0.0",
    hash: "523ba8beac0cb79140f51fe1b31971eb47156ae6d837e1683374c06fd7817778",
  },
  {
    manifest: jwtValidation_1_0_0Manifest,
    definition: jwtValidation_1_0_0,
    source: "policies/jwt-validation/v1.0.0",
    hash: "14cccd77901a6d7d73882287fe0c7d2b46b9cfbc8b0971a33668dc664f40dbf4",
  },
  {
    manifest: jwtValidation_2_0_0Manifest,
    definition: jwtValidation_2_0_0,
    source: "policies/jwt-validation/v2.0.0",
    hash: "e275a75569af8a015d3a30dea0f249fb5e365d98564dafa5b5c8bef7532804b9",
  },
  {
    manifest: setHeader_1_0_0Manifest,
    definition: setHeader_1_0_0,
    source: "policies/set-header/v1.0.0",
    hash: "a27dcffd4c5496c14b77b49468d44315f64ed0b606ced7ea68ce83f4fe9a1b81",
  },
  {
    manifest: setHeader_2_0_0Manifest,
    definition: setHeader_2_0_0,
    source: "policies/set-header/v2.0.0",
    hash: "53da6f6b55380210390d68b9e085ebba5562e9fe31a04b5f5658475c101b5b08",
  },
];

/** The policies that are compiled in, by `name@version`. */
export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));
