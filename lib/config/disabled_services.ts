/**
 * `master_service_disable`: services that are in master.cf and not served.
 *
 * @module
 */

/** Tells whether a service is disabled. */
export type IsDisabled = (name: string, type: string) => boolean;

/**
 * Reads the list: `name/type`, `name.type` or `type`, in letters of any size,
 * the first that matches counting; each `!` before one turns it round.
 *
 * @param list The value.
 * @returns Whether a service is disabled.
 */
export function parseDisabled(list: string): IsDisabled {
  const patterns = list.split(/[ ,\t\r\n]+/).filter((word) => word !== "")
    .map((word) => {
      const [, negations = "", pattern = ""] = /^(!*)(.*)$/s.exec(word) ?? [];
      return {
        disables: negations.length % 2 === 0,
        pattern: withSlash(pattern).toLowerCase(),
      };
    });
  return (name, type) => {
    const whole = `${name}/${type}`.toLowerCase();
    const match = patterns.find(({ pattern }) =>
      pattern === (pattern.includes("/") ? whole : type)
    );
    return match?.disables ?? false;
  };
}

/** The older form has a dot. */
function withSlash(pattern: string): string {
  const dot = pattern.includes("/") ? -1 : pattern.lastIndexOf(".");
  return dot < 0
    ? pattern
    : `${pattern.slice(0, dot)}/${pattern.slice(dot + 1)}`;
}
