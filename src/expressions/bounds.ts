/**
 * What one expression may cost, decided at load where possible. Together they keep an evaluation in the low milliseconds whatever a
 * client sends.
 */

/** Longest text of an expression, UTF-16 units. */
export const expressionUnitsMax = 8_192;

/** Structure of an expression: the parser's limits. */
export const parserLimits = { maxAstNodes: 2_000, maxDepth: 64, maxListElements: 1_000, maxMapEntries: 200, maxCallArguments: 8 } as const;

/** Most elements of a list that is iterated, searched or built at run time. */
export const listElementsMax = 1_000;

/** Deepest nesting of the parts of an expression, levels; a row of `&&` or `||` is one level. Keeps the stack small. */
export const nestingMax = 128;

/** Most problems that are told of one expression. */
export const problemsMax = 50;

/**
 * Most rounds of all loops of an expression, counted at load: a list whose length is only known at run time counts as
 * {@link listElementsMax}, a loop inside another one multiplies. Two such lists inside each other exceed it.
 */
export const loopRoundsMax = 100_000;

/** Longest text that an expression may build at run time (`+`, `join`), UTF-16 units. */
export const builtUnitsMax = 65_536;

/** Most patterns of one expression: a large one takes up to 100 ms to compile and 8 MB to keep. */
export const patternsMax = 16;

/** Longest pattern, UTF-16 units. */
export const patternUnitsMax = 1_024;

/**
 * Largest compiled pattern on the port in JavaScript, instructions; each may cost a step per character of the subject. The native library
 * has a bound of its own.
 */
export const patternInstructionsMax = 1_000;
