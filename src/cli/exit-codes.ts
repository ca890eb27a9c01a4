/** What every command returns: fine, findings, misuse. */
export const exitCodes = { fine: 0, findings: 1, misuse: 2 } as const;
