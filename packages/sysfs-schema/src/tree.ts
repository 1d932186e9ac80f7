/** The tree of one kernel on one page geometry, made from the declarations. */
import { khugepagedCounterIndex, mthpStatCell } from './counters.js';
import {
  KHUGEPAGED_COUNTERS,
  KHUGEPAGED_SETTINGS,
  MTHP_STATS,
  type MthpStatDeclaration,
  ORDER_SETTINGS,
  type OrderSettingDeclaration,
  ROOT_SETTINGS,
  type SettingDeclaration,
} from './declarations.js';
import {
  anonOrders,
  checkGeometry,
  fileOrders,
  type Geometry,
  pmdBytes,
  sizeDirectoryName,
  sizeOrders,
} from './geometry.js';
import type { BadWriteErrnos, SysfsDirectory, SysfsFile, SysfsNode } from './node.js';
import { describeProfile, type KernelProfile, type ProfileDescription } from './profiles.js';
import { settingIndex } from './settings.js';

/** Where the tree hangs on a real machine. */
export const SYSFS_ROOT = '/sys/kernel/mm/transparent_hugepage';

const DIRECTORY_MODE = 0o755;
const WRITABLE_MODE = 0o644;
const READ_ONLY_MODE = 0o444;
/** Opening a file for writing that has no write permission fails in sysfs, for root too. */
const READ_ONLY_ERRNOS: BadWriteErrnos = { 'read-only': 'EACCES' };
const SPEC = 'khugepaged spec 14.1';

interface FolderContent {
  readonly files: readonly SysfsFile[];
  readonly folders: readonly (readonly [name: string, content: FolderContent])[];
}

/**
 * Every directory and file below {@link SYSFS_ROOT} for a kernel and a geometry, that directory first. A directory is followed
 * by its files by name, then by its subdirectories by name (so hugepages-1024kB stands before hugepages-16kB).
 */
export function sysfsTree(profile: KernelProfile, geometry: Geometry): readonly SysfsNode[] {
  checkGeometry(geometry);
  const kernel = describeProfile(profile);
  const stats = MTHP_STATS.filter((stat) => !kernel.missingStats.includes(stat.name)).map((stat) => ({
    ...stat,
    ...kernel.changedStats[stat.name],
  }));
  const orders = { anon: new Set(anonOrders(geometry)), file: new Set(fileOrders(geometry)) };
  const has = (declaration: OrderSettingDeclaration | MthpStatDeclaration, order: number): boolean =>
    declaration.orders === 'any' || orders[declaration.orders].has(order);

  const sizeFolder = (order: number): readonly [string, FolderContent] => {
    const name = sizeDirectoryName(geometry, order);
    const path = `${SYSFS_ROOT}/${name}`;
    const statFiles = stats.filter((s) => has(s, order)).map((s) => mthpStatFile(`${path}/stats`, s, order));
    return [
      name,
      {
        files: ORDER_SETTINGS.filter((s) => has(s, order)).map((s) => orderSettingFile(path, s, order, geometry)),
        folders: [['stats', { files: statFiles, folders: [] }]],
      },
    ];
  };

  const khugepaged = `${SYSFS_ROOT}/khugepaged`;
  const nodes: SysfsNode[] = [];
  flatten(nodes, SYSFS_ROOT, {
    files: [...ROOT_SETTINGS.map((s) => settingFile(SYSFS_ROOT, s, geometry, kernel)), pmdSizeFile(geometry)],
    folders: [
      ...sizeOrders(geometry).map(sizeFolder),
      [
        'khugepaged',
        {
          files: [
            ...KHUGEPAGED_SETTINGS.map((s) => settingFile(khugepaged, s, geometry, kernel)),
            ...KHUGEPAGED_COUNTERS.map((c) => khugepagedCounterFile(khugepaged, c)),
          ],
          folders: [],
        },
      ],
    ],
  });
  return nodes;
}

/** True for a file that can be written. */
export function isWritable(node: SysfsNode): node is SysfsFile {
  return node.kind === 'file' && (node.mode & 0o200) !== 0;
}

/** The files among the nodes, in their order. */
export function filesOf(nodes: readonly SysfsNode[]): readonly SysfsFile[] {
  return nodes.filter((node) => node.kind === 'file');
}

function flatten(into: SysfsNode[], path: string, content: FolderContent): void {
  const directory: SysfsDirectory = { kind: 'directory', path, mode: DIRECTORY_MODE };
  into.push(directory);
  into.push(...content.files.toSorted((a, b) => compareText(a.path, b.path)));
  for (const [name, inner] of content.folders.toSorted((a, b) => compareText(a[0], b[0])))
    flatten(into, `${path}/${name}`, inner);
}

/** Byte order, which is what a file listing in the C locale shows. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function settingFile(
  folder: string,
  declaration: SettingDeclaration,
  geometry: Geometry,
  kernel: ProfileDescription,
): SysfsFile {
  const { name, key, unit, doc, errnos } = declaration;
  return {
    kind: 'file',
    path: `${folder}/${name}`,
    mode: WRITABLE_MODE,
    grammar: declaration.grammar(geometry, kernel),
    storage: { kind: 'setting', key, cell: settingIndex(key) },
    default: declaration.default(geometry),
    unit,
    doc,
    spec: SPEC,
    errnos,
  };
}

function orderSettingFile(
  folder: string,
  declaration: OrderSettingDeclaration,
  order: number,
  geometry: Geometry,
): SysfsFile {
  const { name, key, grammar, pmdDefault, otherDefault, unit, doc, errnos } = declaration;
  return {
    kind: 'file',
    path: `${folder}/${name}`,
    mode: WRITABLE_MODE,
    grammar,
    storage: { kind: 'order-setting', key, order, cell: settingIndex(key, order) },
    default: order === geometry.pmdOrder ? pmdDefault : otherDefault,
    unit,
    doc,
    spec: SPEC,
    errnos,
  };
}

function mthpStatFile(folder: string, declaration: MthpStatDeclaration, order: number): SysfsFile {
  const { name, file = name, unit, doc } = declaration;
  return {
    kind: 'file',
    path: `${folder}/${file}`,
    mode: READ_ONLY_MODE,
    grammar: { kind: 'counter' },
    storage: { kind: 'mthp-stat', name, order, cell: mthpStatCell(name, order) },
    default: 0,
    unit,
    doc,
    spec: SPEC,
    errnos: READ_ONLY_ERRNOS,
  };
}

function khugepagedCounterFile(folder: string, declaration: (typeof KHUGEPAGED_COUNTERS)[number]): SysfsFile {
  const { name, unit, doc } = declaration;
  return {
    kind: 'file',
    path: `${folder}/${name}`,
    mode: READ_ONLY_MODE,
    grammar: { kind: 'counter' },
    storage: { kind: 'khugepaged-counter', name, cell: khugepagedCounterIndex(name) },
    default: 0,
    unit,
    doc,
    spec: SPEC,
    errnos: READ_ONLY_ERRNOS,
  };
}

function pmdSizeFile(geometry: Geometry): SysfsFile {
  const value = pmdBytes(geometry);
  return {
    kind: 'file',
    path: `${SYSFS_ROOT}/hpage_pmd_size`,
    mode: READ_ONLY_MODE,
    grammar: { kind: 'constant', value },
    storage: { kind: 'constant' },
    default: value,
    unit: 'bytes',
    doc: 'bytes that one page-table-sized (PMD) huge page maps',
    spec: SPEC,
    errnos: READ_ONLY_ERRNOS,
  };
}
