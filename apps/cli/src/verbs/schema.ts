/** `thplab schema`: what may stand in a scenario file, as JSON Schema draft-07. */
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { showExamples } from '../help.js';
import { withTarget } from '../output/target.js';

export function define(command: Command, context: Context): void {
  command
    .option('-o, --output <file>', 'write it to a file, whole or not at all ("-": stdout)')
    .action(async (options: { output?: string }) => {
      const { scenarioJsonSchemaText } = await import('@thplab/scenario');
      await withTarget(context, options.output, (target) => target.write(scenarioJsonSchemaText()));
    });
  showExamples(command, context, [
    ['thplab schema -o scenario.schema.json', 'then, as the first line of a scenario:'],
    ['# yaml-language-server: $schema=scenario.schema.json', 'completion and checks in the editor'],
    ['thplab schema | jq .properties.machine', 'what may stand below "machine"'],
  ]);
}
