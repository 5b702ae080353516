/** The commands of `npx millrace` that are this shop's own. */
import type { Command } from '../cli/cli.ts';
import { mailCommand } from './mail/command.ts';
import { pushCommand } from './push/command.ts';
import { rotateCommand } from './signing-key/command.ts';

export const shopCommands: Readonly<Record<string, Command>> = {
  push: {
    usage: 'push <file|-> [--url <url> --token-file <file|->] [--dry-run]',
    says:
      'sends a CloudEvent in JSON, or an array of them, to the shop: to that of npm start, as its staff, or to --url;\n      ' +
      'with --dry-run it only says whether they are as they must be',
    run: (args) => pushCommand(args),
  },
  mail: {
    usage: 'mail preview [<template>…] [--locale en|de] [--out <folder>]',
    says:
      'writes the e-mails, in all languages unless told, as HTML and text from example events into a folder,\n      ' +
      '.local/mail-preview without --out, and says where their index is',
    run: (args) => mailCommand(args),
  },
  'rotate-signing-key': {
    usage: 'rotate-signing-key --file <path> [--stolen]',
    says:
      'puts a fresh key into SIGNING_KEY_FILE, which signs after 15 minutes; with --stolen at once and alone:\n      ' +
      'HTTP functions believe the old ones for up to 60 s more, longer while user-service is away',
    run: (args) => rotateCommand(args),
  },
};
