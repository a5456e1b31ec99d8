/** Links of a built site that lead nowhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** The file that a server gives for the path, from the folder of the site. */
function fileAt(folder, path) {
  const candidates = [path, `${path}.html`, posix.join(path, 'index.html')];
  return candidates.find((each) => {
    const file = join(folder, each);
    return existsSync(file) && statSync(file).isFile();
  });
}

/**
 * Every link of every page that names a file that is not there, or a place that its page has not.
 *
 * @param base the path under which the site is served, with a slash at both ends
 * @param missing paths that were left out on purpose
 */
export function deadLinks(folder, base, missing) {
  const pages = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
  const places = new Map();
  const placesOf = (file) => {
    if (!places.has(file)) {
      const text = readFileSync(join(folder, file), 'utf8');
      places.set(file, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)));
    }
    return places.get(file);
  };
  return pages.flatMap((page) => {
    const hrefs = readFileSync(join(folder, page), 'utf8').matchAll(/<a\s[^>]*?href="([^"]+)"/g);
    const isDead = (href) => {
      if (/^(?:[a-z]+:|\/\/)/.test(href)) return false;
      const [to = '', place = ''] = href.split('#');
      const path = to.startsWith('/')
        ? to.startsWith(base)
          ? to.slice(base.length)
          : `outside of the site${to}`
        : posix.join(posix.dirname(page), to);
      if (missing?.test(path)) return false;
      const file = to === '' ? page : fileAt(folder, decodeURI(path));
      if (file === undefined) return true;
      return (
        place !== '' && file.endsWith('.html') && !placesOf(file).has(decodeURIComponent(place))
      );
    };
    return [...new Set([...hrefs].map(([, href]) => href))]
      .filter(isDead)
      .map((href) => ({ page, href }));
  });
}
