/** What has a process make a call for `doctor`: a word of ours, which nobody types. */
export const PROBE = '--probe';
