/** damo documents as part of a scenario: which process a pid means, and documents that lie in files of their own. */
import {
  completeScheme,
  DAMON_PROFILES,
  DamonError,
  type DamonProfile,
  damonProfileOf,
  validateAttributes,
  validateScheme,
} from '@thplab/damos-actions';
import { memcgLineage } from '@thplab/mm-model';
import { DEFAULT_LIMITS } from '../format/limits.js';
import { formatKey, type KeyPath, type Problem, ScenarioError } from '../format/problems.js';
import type { Scenario } from '../format/scenario.js';
import type { KdamondSpec } from '../format/scenario-damon.js';
import { readTree } from '../format/yaml-tree.js';
import { type DamoContext, readKdamondsDocument } from './read-kdamonds.js';

/** Processes by pid: as `pids` says, or the pid is the name itself; the only process needs no words. */
export function processesOfDamo(
  names: readonly string[],
  pids: Readonly<Record<string, string>>,
): Pick<DamoContext, 'processOfPid' | 'onlyProcess'> {
  const onlyProcess = names.length === 1 ? (names[0] ?? null) : null;
  const processOfPid = (pid: number | string): string | null => {
    const given = Object.hasOwn(pids, String(pid)) ? pids[String(pid)] : undefined;
    return given ?? (names.includes(String(pid)) ? String(pid) : onlyProcess);
  };
  return { onlyProcess, processOfPid };
}

/** The document with nothing said about what is wrong in it: for its names. */
export function readQuietly(document: unknown): KdamondSpec[] {
  return readKdamondsDocument(document, [], {
    report: () => {},
    pageSize: 4096,
    memcgs: null,
    processOfPid: () => '',
    onlyProcess: '',
  });
}

/** Reports what DAMON, or this generation of it, refuses. */
export function checkAgainstProfile(
  spec: KdamondSpec,
  profile: DamonProfile,
  report: (message: string, hint: string) => void,
): void {
  for (const { config } of spec.schemes) {
    if (profile.actions.includes(config.action)) continue;
    report(`DAMON ${profile.name} has no action ${config.action}`, `it has ${profile.actions.join(', ')}`);
  }
  if (spec.pause && !profile.pause) report(`DAMON ${profile.name} has no pause`, 'expected "pause": false');
  try {
    validateAttributes(spec.attributes);
    for (const { config } of spec.schemes) validateScheme(completeScheme(config));
  } catch (error) {
    if (!(error instanceof DamonError)) throw error;
    report(`DAMON refuses this: ${error.message}`, 'see docs/damon.md');
  }
}

/** Problems described at most. */
const MOST_DESCRIBED = 500;

/**
 * The scenario with the kdamonds of the damo document that its `damon.damo` names, given that file's text.
 * Errors: ScenarioError with the places in that file.
 */
export function withDamoDocument(scenario: Scenario, text: string, path: string): Scenario {
  const read = readTree(text, path, DEFAULT_LIMITS);
  if ('problems' in read) throw new ScenarioError(read.problems);
  const { tree } = read;
  const problems: Problem[] = [];
  const report = (key: KeyPath, message: string, hint: string): void => {
    if (problems.length >= MOST_DESCRIBED) return;
    problems.push({ path, ...tree.locate(key, 'value'), key: formatKey(key), message, hint });
  };
  const { machine, processes, damon } = scenario;
  const children = scenario.events.flatMap(({ action }) => (action.kind === 'fork' ? [action.as] : []));
  const names = [...processes.map(({ name }) => name), ...children];
  const profile = DAMON_PROFILES.find(({ name }) => name === damon.profile) ?? damonProfileOf(machine.kernel);
  const kdamonds = readKdamondsDocument(tree.value, [], {
    report,
    pageSize: machine.pageSize,
    memcgs: new Set(['/', ...processes.flatMap(({ memcg }) => memcgLineage(memcg))]),
    ...processesOfDamo(names, damon.pids),
  });
  for (const [index, spec] of kdamonds.entries()) {
    checkAgainstProfile(spec, profile, (message, hint) => report(['kdamonds', index], message, hint));
  }
  if (problems.length > 0) throw new ScenarioError(problems);
  // Errors of a run are about the key of the scenario that names the file.
  const own = kdamonds.map((spec) => ({ ...spec, key: `${damon.key}.damo` }));
  return { ...scenario, damon: { ...damon, file: null, kdamonds: [...damon.kdamonds, ...own] } };
}
