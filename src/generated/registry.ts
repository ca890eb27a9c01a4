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
    hash: "a28f5fa1bfe21bcf0adc6d35ee0248f9d7a9d00906baaf4e2830979878746e60",
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
    hash: "314b5b277fd497dce436fec93c3ad08a86563eade7070dd80e446f7f32ce7e46",
  },
  {
    manifest: jwtValidation_2_0_0Manifest,
    definition: jwtValidation_2_0_0,
    source: "policies/jwt-validation/v2.0.0",
    hash: "5f310f84fe72a8acf50cc5db880d756e591b34505e69d448069c9c1c679183be",
  },
  {
    manifest: setHeader_1_0_0Manifest,
    definition: setHeader_1_0_0,
    source: "policies/set-header/v1.0.0",
    hash: "b7f8392a5843a4571333639d8d4055ccb743d955684da0a730b868c3068f7845",
  },
  {
    manifest: setHeader_2_0_0Manifest,
    definition: setHeader_2_0_0,
    source: "policies/set-header/v2.0.0",
    hash: "2cd114bf8368fb18eecef398a9895732fe41d93dd7f7eb36c424e0819c5a969b",
  },
];

/** The policies that are compiled in, by `name@version`. */
export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));
