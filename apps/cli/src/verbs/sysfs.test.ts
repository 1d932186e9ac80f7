import { describe, expect, it } from 'vitest';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';

const SCENARIO = `format: thplab/scenario@1
name: s
machine: { memory: 1G, kernel: v6.18 }
sysfs: { enabled: always, khugepaged/max_ptes_none: 0 }
processes: [{ name: p, vmas: [{ name: v, size: 2M, populate: full }] }]
`;

async function golden(name: string, args: readonly string[], code = 0): Promise<void> {
  const result = await runCli(args);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(code);
  expectGolden(import.meta.dirname, name, result.stdout);
}

describe('sysfs tree', () => {
  it('lists the settings of the merged kernel', () => golden('sysfs.tree', ['sysfs', 'tree', '--settings']));
  it('lists a folder with what each file does', () =>
    golden('sysfs.tree-docs', ['sysfs', 'tree', 'khugepaged', '--docs', '--kernel', 'v6.18']));

  it('has the sizes of 64K pages', async () => {
    const { stdout } = await runCli(['sysfs', 'tree', '--page-size', '64K']);
    expect(stdout).toContain('hugepages-524288kB/');
  });

  it('prints one document', async () => {
    const { stdout } = await runCli(['sysfs', 'tree', 'khugepaged', '--json']);
    const { nodes, kernel } = JSON.parse(stdout);
    expect(kernel).toBe('merged');
    expect(nodes.find(({ path }: { path: string }) => path.endsWith('/max_ptes_none'))).toMatchObject({
      mode: '0644',
      read: '511',
      takes: 'a decimal number from 0 to 511',
    });
  });
});

describe('sysfs get', () => {
  it('prints what cat would', async () => {
    expect((await runCli(['sysfs', 'get', 'enabled'])).stdout).toBe('always [madvise] never\n');
  });
  it('names several files', () => golden('sysfs.get', ['sysfs', 'get', 'enabled', 'khugepaged/pages_to_scan']));
  it('explains a file', () => golden('sysfs.get-long', ['sysfs', 'get', '-l', 'hugepages-64kB/enabled']));

  it('suggests the nearest path', async () => {
    const { code, stderr } = await runCli(['sysfs', 'get', 'khugepaged/max_pte_none']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean khugepaged/max_ptes_none?');
  });
});

describe('sysfs set', () => {
  it('answers as the kernel does, one write after the other', () =>
    golden(
      'sysfs.set',
      ['sysfs', 'set', 'khugepaged/max_ptes_none=600', 'khugepaged/max_ptes_none=64', 'khugepaged/full_scans=1'],
      1,
    ));

  it('keeps what earlier writes did', async () => {
    const refused = await runCli(['sysfs', 'set', 'hugepages-64kB/shmem_enabled=inherit', 'shmem_enabled=force']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('EINVAL');
    expect((await runCli(['sysfs', 'set', 'shmem_enabled=force'])).code).toBe(0);
  });

  it('wants PATH=VALUE', async () => {
    const { code, stderr } = await runCli(['sysfs', 'set', 'enabled']);
    expect(code).toBe(2);
    expect(stderr).toContain('PATH=VALUE');
  });
});

describe('sysfs diff', () => {
  it('compares two kernels', () => golden('sysfs.diff', ['sysfs', 'diff', 'v6.18', 'merged']));

  it("compares a scenario with its kernel's defaults", async () => {
    const cwd = folderWith({ 's.yaml': SCENARIO });
    const { stdout } = await runCli(['sysfs', 'diff', 's.yaml'], { cwd });
    expectGolden(import.meta.dirname, 'sysfs.diff-scenario', stdout);
  });

  it('only reads this machine', async () => {
    const below = 'sys/kernel/mm/transparent_hugepage';
    const cwd = folderWith({
      [`${below}/enabled`]: '[always] madvise never\n',
      [`${below}/khugepaged/max_ptes_none`]: '511\n',
      's.yaml': SCENARIO,
    });
    const { stdout, code } = await runCli(['sysfs', 'diff', 's.yaml', '--live', '--ndjson'], {
      cwd,
      sysRoot: `${cwd}/sys`,
    });
    expect(code).toBe(0);
    const differences = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (name: string): unknown => differences.find(({ path }) => path.endsWith(name));
    expect(of('transparent_hugepage/enabled')).toBeUndefined();
    expect(of('max_ptes_none')).toMatchObject({ before: '0', after: '511' });
    expect(of('khugepaged/defrag')).toMatchObject({ before: '1', after: null });
  });

  it('says what it takes', async () => {
    expect((await runCli(['sysfs', 'diff'])).code).toBe(2);
    expect((await runCli(['sysfs', 'diff', 'merged', 'v18', 'v17'])).code).toBe(2);
  });
});

describe('sysfs export', () => {
  it('prints shell lines', () =>
    golden('sysfs.export', ['sysfs', 'export', 'enabled=madvise', 'hugepages-64kB/enabled=inherit']));

  it('prints the sysfs section of a scenario', async () => {
    const { stdout } = await runCli(['sysfs', 'export', '-'], { stdin: SCENARIO });
    expect(stdout).toBe(
      'echo always > /sys/kernel/mm/transparent_hugepage/enabled\n' +
        'echo 0 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none\n',
    );
  });

  it('prints no line that the machine would refuse', async () => {
    const { code, stdout, stderr } = await runCli(['sysfs', 'export', 'enabled=sometimes']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('EINVAL');
  });
});
