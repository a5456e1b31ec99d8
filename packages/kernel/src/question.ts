/**
 * Opaque questions in nodes and programs: a row for each, with the numbers that its node holds and the
 * instructions that answer it. A row's place is its number in nodes.
 */
import type { Question, QuestionKind, QuestionOf } from '@sockfilter/table';
import { bucket } from './question/bucket.js';
import { buckets } from './question/buckets.js';
import { budget } from './question/budget.js';
import { chance } from './question/chance.js';
import { member } from './question/member.js';
import { schedule } from './question/schedule.js';
import { turn } from './question/turn.js';
import type { QuestionRow } from './questionrow.js';

export const QUESTIONS: { readonly [K in QuestionKind]: QuestionRow<QuestionOf<K>> } = {
  chance,
  turn,
  bucket,
  budget,
  schedule,
  member,
  buckets,
};

function isKind(name: string): name is QuestionKind {
  return Object.hasOwn(QUESTIONS, name);
}

/** The kinds of questions in the order of their numbers. */
export const QUESTION_KINDS: readonly QuestionKind[] = Object.keys(QUESTIONS).filter(isKind);

function parametersOf<K extends QuestionKind>(question: QuestionOf<K>): readonly bigint[] {
  return QUESTIONS[question.kind].parameters(question);
}

/** What the node of the question holds. */
export function questionParameters(question: Question): readonly bigint[] {
  return parametersOf(question);
}
