import type { Command } from 'commander';
import { describe, expect, it } from '@jest/globals';
import { COMMANDS, createProgram } from './program.js';
import { Settings } from './settings.js';

/** Every command that does something, by what is typed after `holdfast`. */
async function allCommands(): Promise<[typed: string, command: Command][]> {
  const found: [string, Command][] = [];
  const collect = (typed: string, command: Command): void => {
    if (command.commands.length === 0) found.push([typed, command]);
    for (const each of command.commands) collect(`${typed} ${each.name()}`, each);
  };
  for (const name of Object.keys(COMMANDS)) {
    const program = await createProgram(new Settings({}), [name]);
    for (const command of program.commands) if (command.name() === name) collect(name, command);
  }
  return found;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

describe('the command line', () => {
  it('has these commands, each with a description and an example of itself', async () => {
    const commands = await allCommands();
    expect(commands.map(([typed]) => typed)).toEqual([
      'start',
      'migrate',
      'keys create',
      'keys list',
      'keys revoke',
      'users list',
      'users role',
      'users subscription',
      'token create',
      'send',
      'events list',
      'events show',
      'events replay',
      'sources list',
      'payments reconcile',
      'audit verify',
      'ledger verify',
      'encryption rotate',
      'openapi',
    ]);
    for (const [typed, command] of commands) {
      expect(command.description()).not.toBe('');
      expect(helpOf(command)).toContain(`Example:\n  $ npx holdfast ${typed}`);
    }
  });

  it('names all of them in its help without loading any', async () => {
    const program = await createProgram(new Settings({}), ['--help']);
    for (const name of Object.keys(COMMANDS)) expect(helpOf(program)).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
    expect(program.commands.flatMap(({ options }) => options)).toEqual([]);
  });

  it('loads the command that help is asked about', async () => {
    const program = await createProgram(new Settings({}), ['help', 'events']);
    expect(program.commands.find((command) => command.name() === 'events')?.commands).toHaveLength(3);
  });
});
