/** What the sysfs verbs share: the tree that the options mean, finding a file in it, values of a fresh machine. */
import {
  absolutePath,
  type DamonTreeName,
  damonTreeOf,
  defaultSettings,
  findNode,
  formatRead,
  type Geometry,
  type KernelProfile,
  nearestPath,
  SYSFS_ROOT,
  type SysfsFile,
  type SysfsNode,
  sysfsTree,
} from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { geometryOf, kernelOf, kernelOption, type OutputOptions, pageSizeOption } from '../options.js';

export interface TreeOptions extends OutputOptions {
  readonly kernel?: string;
  readonly pageSize: string;
}

/** The files of one kernel, and the settings of a fresh machine that runs it. */
export interface Files {
  readonly kernel: KernelProfile;
  readonly geometry: Geometry;
  readonly nodes: readonly SysfsNode[];
  /** Cells at the places of the schema's settingIndex. */
  readonly settings: Uint32Array;
  /** Generation of DAMON's files. */
  readonly damon: DamonTreeName;
  /** Names of kdamonds and schemes to their folders below DAMON's root. */
  readonly damonNames: ReadonlyMap<string, string>;
}

export function treeOptions(command: Command): Command {
  return pageSizeOption(kernelOption(command, 'whose files (default: merged)'));
}

export function filesFor(options: TreeOptions): Files {
  return filesOfKernel(kernelOf(options), geometryOf(options));
}

export function filesOfKernel(kernel: KernelProfile, geometry: Geometry): Files {
  return {
    kernel,
    geometry,
    nodes: sysfsTree(kernel, geometry),
    settings: defaultSettings(geometry),
    damon: damonTreeOf(kernel),
    damonNames: new Map(),
  };
}

/** Where a path leads. Errors: UsageError with the nearest path. */
export function requireNode({ nodes, kernel }: Files, path: string): SysfsNode {
  const node = findNode(nodes, path);
  if (node !== null) return node;
  const near = nearestPath(nodes, path);
  const hint = near === null ? '"thplab sysfs tree" lists the files' : `did you mean ${relative(near)}?`;
  throw new UsageError(`kernel ${kernel} has no sysfs file ${JSON.stringify(path)}; ${hint}`);
}

/** The file at a path. Errors: UsageError. */
export function requireFileAt(files: Files, path: string): SysfsFile {
  const node = requireNode(files, path);
  if (node.kind === 'file') return node;
  throw new UsageError(`${relative(absolutePath(path)) || SYSFS_ROOT} is a folder; name a file in it`);
}

/** The number behind a file: a setting, or what it is after boot. */
export function cellOf(settings: Uint32Array, file: SysfsFile): number {
  const { storage } = file;
  const isSetting = storage.kind === 'setting' || storage.kind === 'order-setting';
  return isSetting ? (settings[storage.cell] ?? file.default) : file.default;
}

/** What a read shows, without its newline. */
export function readText(settings: Uint32Array, file: SysfsFile): string {
  return formatRead(file, cellOf(settings, file)).trimEnd();
}

/** A path as users write it: from the root of the tree. */
export function relative(path: string): string {
  return path === SYSFS_ROOT ? '' : path.slice(SYSFS_ROOT.length + 1);
}

/** The head that JSON results of these verbs share. */
export function documentHead(format: string, version: string, files: Files): Record<string, unknown> {
  const { kernel, geometry } = files;
  return { format, version, kernel, pageSize: 2 ** geometry.pageShift, pmdOrder: geometry.pmdOrder };
}
