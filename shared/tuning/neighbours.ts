import { type Candidate, candidateKey, type MaskChoice, type SiteChoice } from './candidate.ts';
import { scaledSite } from './layer-effects.ts';
import { room, shortfall, type Standing } from './standing.ts';
import type { Trial } from './trial.ts';

/** By what ratios change in one move; of what is specific, what its margin is above 1. */
const [wide, narrow] = [1.4, 1.2];
/**
 * What may be missing, over all that is asked, for narrow moves. Close to the thresholds a wide one jumps over what meets
 * them: of violin on emoji-sd, margins of attn-value of 1.10, 1.12 and 1.14 erased 0.937, 0.956 and 0.911.
 */
const close = 0.05;
/** By what margins of contrast change. */
const marginStep = 0.1;
/** Between which select_ratio moves. */
const selectRatios = [0, 0.3, 0.5, 0.8];

type Move = (mask: MaskChoice) => MaskChoice;

/** Prunes less in three ways, each by itself: fewer weights a row, only more specific ones, only in more of the steps. */
const weaker = (factor: number): readonly Move[] => [scaled(1 / factor), margined(marginStep), selected(1)];
const stronger = (factor: number): readonly Move[] => [scaled(factor), margined(-marginStep), selected(-1)];
/** More of what is more specific: where both sides miss. */
const sharper = (factor: number): readonly Move[] => [
  after(scaled(factor), margined(marginStep)),
  after(scaled(factor), selected(1)),
];

/**
 * What is worth trying next to a trial, each once and none that is the trial itself: for a concept that is not erased
 * enough stronger masks, and where too little is kept, or all is met, weaker ones; each concept by itself, and all. What is
 * met without room counts as not enough: the search is not over before verify can be expected to say the same. Where all
 * that is missing is what some masks keep by themselves, only these change. Moves are smaller where little is missing.
 */
export function neighbours(trial: Trial): readonly Candidate[] {
  const { candidate, standings } = trial;
  const short = shortConcepts(trial);
  const harmful = harmfulConcepts(trial);
  const isOfSome = short.size === 0 && harmful.size > 0;
  const changing = candidate.masks.filter(({ concept }) => !isOfSome || harmful.has(concept));
  const isClose = shortfall(standings, room) > 0 && shortfall(standings, 0) <= close;
  const factor = isClose ? narrow : wide;
  const found = new Map<string, Candidate>();
  const add = (changed: Candidate): void => {
    found.set(candidateKey(changed), changed);
  };
  for (const { concept, mask } of changing) {
    const isShort = short.has(concept);
    const keepsTooLittle = harmful.has(concept);
    const moves = isShort ? stronger(factor) : weaker(factor);
    const inPlace = isShort && keepsTooLittle ? [...sharper(factor), ...exchanges(mask, factor)] : [];
    const perSite = [
      ...(isShort ? siteMoves(mask, factor) : []),
      ...(isShort && !keepsTooLittle ? [] : siteMoves(mask, 1 / factor)),
    ];
    for (const move of [...inPlace, ...moves, ...perSite, ...(isShort ? [] : dropMoves(mask))])
      add(withMask(candidate, move, [concept]));
  }
  const names = changing.map(({ concept }) => concept);
  if (names.length > 1 && short.size === 0) for (const move of weaker(factor)) add(withMask(candidate, move, names));
  found.delete(candidateKey(candidate));
  return [...found.values()];
}

/**
 * Of masks that are active together one may prune what another needs kept: those of the concepts that are not erased enough
 * stronger and the others weaker, at once, a little and more. None where all concepts are short, or none, or where one that
 * is short keeps too little by itself already.
 */
export function balancing(trial: Trial): readonly Candidate[] {
  const { candidate } = trial;
  const names = candidate.masks.map(({ concept }) => concept);
  const short = shortConcepts(trial);
  const [more, less] = [names.filter((name) => short.has(name)), names.filter((name) => !short.has(name))];
  const harmful = harmfulByThemselves(trial);
  if (more.length === 0 || less.length === 0 || more.some((name) => harmful.has(name))) return [];
  return [narrow, wide].map((by) => withMask(withMask(candidate, scaled(by), more), scaled(1 / by), less));
}

function misses(standing: Standing): boolean {
  return shortfall([standing], room) > 0;
}

/** Concepts that are not erased enough, or with no room. */
function shortConcepts({ standings }: Trial): ReadonlySet<string> {
  const concepts = standings.filter(misses).flatMap(({ requirement: { side } }) => {
    return side.kind === 'erased' ? [side.concept] : [];
  });
  return new Set(concepts);
}

/** Concepts whose masks may be what keeps too little: all, if together they do; else those whose mask does by itself. */
function harmfulConcepts(trial: Trial): ReadonlySet<string> {
  const isTogether = trial.standings.some((each) => {
    const { side, alone } = each.requirement;
    return side.kind === 'kept' && alone === undefined && misses(each);
  });
  return isTogether ? new Set(trial.candidate.masks.map(({ concept }) => concept)) : harmfulByThemselves(trial);
}

/** Concepts whose mask keeps too little by itself, or with no room. */
function harmfulByThemselves({ standings }: Trial): ReadonlySet<string> {
  const concepts = standings.filter(misses).flatMap(({ requirement: { side, alone } }) => {
    return side.kind === 'kept' && alone !== undefined ? [alone] : [];
  });
  return new Set(concepts);
}

/** One site's ratio by itself, where there are several; where its layers have their own, that of each layer. */
function siteMoves({ sites }: MaskChoice, by: number): readonly Move[] {
  const change = (changed: SiteChoice, to: SiteChoice): Move => {
    return (mask) => ({ ...mask, sites: mask.sites.map((each) => (each === changed ? to : each)) });
  };
  const all = sites.flatMap((site) => {
    const layers = Object.entries(site.layers ?? {});
    // What is specific has one margin for all layers of a site.
    if (layers.length < 2 || site.selection === 'specific') return [change(site, scaledSite(site, by))];
    return layers.map(([name, ratio]) => {
      const { layers: scaled } = scaledSite({ ...site, layers: { [name]: ratio } }, by);
      return change(site, { ...site, layers: { ...site.layers, ...scaled } });
    });
  });
  return all.length < 2 ? [] : all;
}

/** More at one of several sites and less at the others: where both sides miss, what is pruned may be in the wrong place. */
function exchanges({ sites }: MaskChoice, by: number): readonly Move[] {
  if (sites.length < 2) return [];
  return sites.map((more) => (mask: MaskChoice) => ({
    ...mask,
    sites: mask.sites.map((each) => scaledSite(each, each === more ? by : 1 / by)),
  }));
}

/** Without one of several sites: a mask of fewer files and layers that still holds is the better one. */
function dropMoves({ sites }: MaskChoice): readonly Move[] {
  if (sites.length < 2) return [];
  return sites.map(({ site }) => (mask: MaskChoice) => ({
    ...mask,
    sites: mask.sites.filter((each) => each.site !== site),
  }));
}

function withMask(candidate: Candidate, move: Move, concepts: readonly string[]): Candidate {
  const masks = candidate.masks.map((each) =>
    concepts.includes(each.concept) ? { ...each, mask: move(each.mask) } : each,
  );
  return { ...candidate, masks };
}

function after(first: Move, second: Move): Move {
  return (mask) => second(first(mask));
}

function scaled(by: number): Move {
  return (mask) => ({ ...mask, sites: mask.sites.map((site) => scaledSite(site, by)) });
}

/** Of contrast alone: the margin of what is specific is what stands for its ratio. */
function margined(by: number): Move {
  return (mask) => ({
    ...mask,
    sites: mask.sites.map((site) =>
      site.selection === 'contrast' ? { ...site, margin: Math.max(0, Number((site.margin + by).toFixed(2))) } : site,
    ),
  });
}

function selected(by: 1 | -1): Move {
  return (mask) => {
    const nearest = selectRatios.reduce(
      (best, each, i) =>
        Math.abs(each - mask.selectRatio) < Math.abs((selectRatios[best] ?? 0) - mask.selectRatio) ? i : best,
      0,
    );
    return { ...mask, selectRatio: selectRatios[nearest + by] ?? mask.selectRatio };
  };
}
