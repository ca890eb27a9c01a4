/**
 * Whether what stands under this name may let somebody in: `authorization`, `x-api-key`, `set-cookie`, `accessToken`. Rather too many than too few:
 * a policy may take its credentials from anywhere. The one rule for what is shown, logged and explained.
 */
export function namesCredential(name: string): boolean {
  return credentialWord.test(name.replace(/([a-z\d])([A-Z])/g, "$1-$2").toLowerCase());
}

/** The same for names in lower case, as a pattern of JSON Schema. */
export const credentialNamePattern =
  "(?:^|[-_.:])(?:api|access|private|partner|client|secret)?[-_]?(?:authorization|cookies?|tokens?|secrets?|passwords?|passwd|pwd|passphrase|credentials?|sessions?|sid|jwt|assertion|signature|sig|keys?|apikey|otp)(?:$|[-_.:\\d])";

const credentialWord = new RegExp(credentialNamePattern);
