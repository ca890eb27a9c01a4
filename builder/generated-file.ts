/** A file that a generating step makes. Steps return these; whoever runs them writes the files or compares them. */
export interface GeneratedFile {
  /** Relative to the folder that the step was given, with forward slashes. */
  readonly path: string;
  readonly text: string;
}
