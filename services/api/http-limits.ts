/**
 * What a connection may cost before anyone is known to be behind it. Rows of docs/limits.md.
 */

/** Bytes of a request line with its headers: 1,000 uids of `user/multiGet` in a query, and room for headers. */
export const mostHeaderBytes = 48 * 1024;
