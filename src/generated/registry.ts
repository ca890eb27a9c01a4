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
    hash: "6dc85b00ff810af5bd11a5b62d3c2d15cb3068790c1de43d02173a6f5ec45820",
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
    hash: "e0ea06177cf8984b1de44df8e80faca31c6b24cab225cf281a00c67107998006",
  },
  {
    manifest: jwtValidation_2_0_0Manifest,
    definition: jwtValidation_2_0_0,
    source: "policies/jwt-validation/v2.0.0",
    hash: "6657442eeb39a5fdef1bcbdbdbd6f96f44d885e11515d0038ee13b54df67472c",
  },
  {
    manifest: setHeader_1_0_0Manifest,
    definition: setHeader_1_0_0,
    source: "policies/set-header/v1.0.0",
    hash: "bb66fa212d3cc46477db78d24da5ed06ba828e520fe6de3799802c7561d66e07",
  },
  {
    manifest: setHeader_2_0_0Manifest,
    definition: setHeader_2_0_0,
    source: "policies/set-header/v2.0.0",
    hash: "0f578a67b43d5bf0dc3c1d666a9f9557e5a63fe3beb93522abfeb9e1251d2708",
  },
];

/** The policies that are compiled in, by `name@version`. */
export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));
