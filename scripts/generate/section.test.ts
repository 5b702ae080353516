import { expect, test } from 'vitest';
import { withSection } from './section.ts';

const TEXT = `resources:
  # generated: names (npm run generate)
  - old
  # end of generated: names
  - by-hand
`;

test('what is between the markers is replaced, indented as they are, and the rest stays', () => {
  expect(withSection('a.yaml', TEXT, 'names', ['- one', '- two'])).toBe(`resources:
  # generated: names (npm run generate)
  - one
  - two
  # end of generated: names
  - by-hand
`);
});

test.each([
  ['a file without markers', 'resources: []\n'],
  ['a marker that is there twice', TEXT + TEXT],
  ['an end before its beginning', '# end of generated: names\n# generated: names\n'],
])('%s is refused, and the file is named', (_what, text) => {
  expect(() => withSection('a.yaml', text, 'names', [])).toThrow("a.yaml must have a comment 'generated: names'");
});
