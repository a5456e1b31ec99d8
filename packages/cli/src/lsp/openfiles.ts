/** The files that are open in an editor, and when each is checked. */
import { fileURLToPath } from 'node:url';
import type { Finding } from '@sockfilter/policy';
import { Opened } from './opened.js';

/** While somebody types, nothing is checked. */
const CHECK_AFTER_MS = 150;

function nameOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
}

export class OpenFiles {
  readonly #files = new Map<string, Opened>();
  readonly #checks = new Map<string, NodeJS.Timeout>();
  readonly #publish: (uri: string, findings: readonly Finding[]) => void;

  /** `publish` is given all that is wrong with a file, each time that is known anew. */
  constructor(publish: (uri: string, findings: readonly Finding[]) => void) {
    this.#publish = publish;
  }

  get(uri: string): Opened | undefined {
    return this.#files.get(uri);
  }

  /** Takes the text that the file has now. */
  read(uri: string, text: string): void {
    const file = new Opened(nameOf(uri), text);
    this.#files.set(uri, file);
    this.#forget(uri);
    if (file.mistakes.length > 0) {
      this.#publish(uri, file.mistakes);
      return;
    }
    const check = () => this.#publish(uri, file.findings());
    this.#checks.set(uri, setTimeout(check, CHECK_AFTER_MS));
  }

  close(uri: string): void {
    this.#forget(uri);
    this.#files.delete(uri);
    this.#publish(uri, []);
  }

  #forget(uri: string): void {
    clearTimeout(this.#checks.get(uri));
    this.#checks.delete(uri);
  }
}
