/** The fields of answers and pushes that hold what a person wrote. `title` belongs to customer-service replies. */
export const writtenFields: ReadonlySet<string> = new Set([
  ...['content', 'quote_content', 'nickname', 'name', 'remark', 'groupname', 'sign', 'postscript'],
  ...['from_name', 'to_name', 'title'],
]);
