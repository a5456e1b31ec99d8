/** Whether a text is JSON and no list of commands. */
export function isJson(text: string): boolean {
  return /^\ufeff?\s*[{[]/.test(text);
}
