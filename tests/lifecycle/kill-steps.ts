/** The steps of a swap, in their order, each named by what has just been done when the process is killed. */
export const killSteps = [
  "create",
  "retire the old generation",
  "commit",
  "open the new file",
  "write half of it",
  "write it",
  "bring it to the disk",
  "give it its name",
  "bring its name to the disk",
] as const;

export type KillStep = (typeof killSteps)[number];
