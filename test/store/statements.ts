/** The statements of an SQL text, without its comments. Good for migrations, which have no `;` in a string or trigger. */
export function statementsOf(sql: string): string[] {
  return sql
    .replace(/--[^\n]*/g, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
