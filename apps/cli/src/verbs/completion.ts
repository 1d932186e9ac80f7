/** `thplab completion`: scripts that complete verbs, options and their fixed values, made from the verbs themselves. */
import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { describeCommand } from '../completion/model.js';
import { zshScript } from '../completion/zsh.js';
import type { Context } from '../context.js';
import { showExamples } from '../help.js';
import { withTarget } from '../output/target.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

export function define(command: Command, context: Context): void {
  command
    .addArgument(new Argument('<shell>', 'whose completion').choices(Object.keys(SCRIPTS)))
    .option('-o, --output <file>', 'write it to a file, whole or not at all ("-": stdout)')
    .action(async (shell: Shell, options: { output?: string }) => {
      const model = describeCommand(await context.wholeProgram());
      await withTarget(context, options.output, (target) => target.write(SCRIPTS[shell](model)));
    });
  showExamples(command, context, [
    ['source <(thplab completion bash)', 'in ~/.bashrc'],
    ['source <(thplab completion zsh)', 'in ~/.zshrc, after compinit'],
    ['thplab completion fish -o ~/.config/fish/completions/thplab.fish', 'once'],
  ]);
}
