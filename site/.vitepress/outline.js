/** What the site has where: each page of docs/ stands here, or the build fails. */
export const OUTLINE = [
  { text: 'Start', pages: ['tutorial', 'recipes', 'playground', 'comparison'] },
  {
    text: 'Reference',
    pages: ['language', 'ci', 'findings/index', 'events', 'interop', 'packages'],
  },
  { text: 'Run it', pages: ['operations', 'performance', 'security'] },
  { text: 'How it works', pages: ['semantics', 'kernel', 'architecture'] },
];
