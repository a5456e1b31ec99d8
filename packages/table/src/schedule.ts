/** When a schedule holds. */

/** Certain hours of certain days. */
export interface Schedule {
  /** Seconds since midnight, both included; past midnight where `from` is not less than `to`. */
  readonly from: number;
  readonly to: number;
  /** Hours past midnight belong to the day before. */
  readonly isContiguous: boolean;
  /** Bits 1, Monday, to 7. */
  readonly weekdays: number;
  /** Bits 1 to 31. */
  readonly monthdays: number;
  /** Seconds since 1970, both included. */
  readonly begin: number;
  readonly end: number;
  /** By the kernel's time zone, else by UTC. */
  readonly isLocal: boolean;
}

const DAY = 86_400;

/** Whether the schedule holds at so many seconds since 1970 in its own time zone. */
export function isOpen(schedule: Schedule, seconds: number): boolean {
  const { from, to, begin, end, isContiguous, weekdays, monthdays } = schedule;
  if (seconds < begin || seconds > end) return false;
  const clock = seconds % DAY;
  const isOverNight = from >= to;
  if (isOverNight ? clock < from && clock > to : clock < from || clock > to) return false;
  const day = new Date(
    1000 * (isOverNight && isContiguous && clock <= to ? seconds - DAY : seconds),
  );
  const weekday = day.getUTCDay() === 0 ? 7 : day.getUTCDay();
  return ((weekdays >>> weekday) & (monthdays >>> day.getUTCDate()) & 1) === 1;
}

const LAST_SECOND = 2 ** 31 - 1;

/** `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]` as seconds since 1970; undefined for what is no date up to 2038. */
export function readDate(text: string): number | undefined {
  const written = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?)?$/.exec(
    text,
  );
  if (!written) return undefined;
  const [year, month = '01', day = '01', hours = '00', minutes = '00', seconds = '00'] =
    written.slice(1);
  const whole = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}`;
  const time = Date.parse(`${whole}Z`) / 1000;
  if (!(time >= 0 && time <= LAST_SECOND)) return undefined;
  return new Date(1000 * time).toISOString().startsWith(whole) ? time : undefined;
}
