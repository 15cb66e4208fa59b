// SPDX-License-Identifier: Apache-2.0

const boundary = (text: string, i: number) => i === 0 || /[^a-z0-9]/i.test(text[i - 1]!) || (/[a-z]/.test(text[i - 1]!) && /[A-Z]/.test(text[i]!));

/**
 * How well a text answers what was typed; 0: not at all. All letters must be there in order. Whole words and beginnings
 * of words count most, then letters in a row; short texts win ties.
 */
export function fuzzyScore(query: string, text: string, loose = true): number {
  const q = query.toLowerCase().trim(), t = text.toLowerCase();
  if (!q) return 1;
  if (t === q) return 1000;
  const at = t.indexOf(q);
  if (at >= 0) return (boundary(text, at) ? 600 : 300) + (at === 0 ? 100 : 0) - Math.min(t.length, 90);
  if (!loose) return 0;
  let score = 0, from = 0, row = 0;
  for (const c of q) {
    if (c === " ") continue;
    // A beginning of a word further on is better than a letter in the middle of one nearby, but a row is best.
    let i = t[from] === c ? from : -1;
    if (i < 0) for (let j = from; j < t.length; j++) if (t[j] === c && boundary(text, j)) { i = j; break; }
    if (i < 0) i = t.indexOf(c, from);
    if (i < 0) return 0;
    row = i === from && from > 0 ? row + 1 : 0;
    score += boundary(text, i) ? 20 : row > 0 ? 12 : 2;
    from = i + 1;
  }
  const score2 = score / q.length;
  return score2 < 5 ? 0 : score2 * 10 - Math.min(t.length, 90) / 10;
}

/**
 * Everything that answers all words of the query, best first. Each thing has several texts; earlier ones count more, and
 * from the third on (sentences) a word must be there as it is: scattered letters are in every sentence.
 */
export function fuzzySearch<T>(query: string, things: Iterable<T>, texts: (thing: T) => string[]): T[] {
  const words = query.trim().split(/\s+/).filter(Boolean);
  const found: { thing: T; score: number; n: number }[] = [];
  let n = 0;
  for (const thing of things) {
    const all = texts(thing);
    const whole = Math.max(...all.map((t, i) => fuzzyScore(query, t, i < 2) / (1 + i)));
    const each = words.map((w) => Math.max(...all.map((t, i) => fuzzyScore(w, t, i < 2) / (1 + i))));
    const score = words.length === 0 ? 1 : Math.max(whole, each.every((s) => s > 0) ? each.reduce((a, b) => a + b, 0) / words.length : 0);
    if (score > 0) found.push({ thing, score, n });
    n++;
  }
  return found.sort((a, b) => b.score - a.score || a.n - b.n).map((f) => f.thing);
}
