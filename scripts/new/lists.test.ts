import { expect, test } from 'vitest';
import { inOrder } from './lists.ts';

const request = (name: string) => ({ kind: 'projector', context: 'orders', name, events: ['order.created'] }) as const;

test('an entry of a sequence goes where its name belongs, like that of its model; the rest stays as it is', () => {
  const text = (entry: string) => `# images
images: # by name
  - { name: millrace/order-view, digest: "sha256:${'1'.repeat(64)}" }
${entry}  - { name: millrace/sales-view, digest: "sha256:${'2'.repeat(64)}" } # the model
patches: []
`;
  const entry = `  - { name: millrace/refund-view, digest: "sha256:${'0'.repeat(64)}" } # the model\n`;
  expect(inOrder('images')(text(''), request('refund-view'))).toBe(text(entry));
});

test('an entry of a mapping goes among those that are in order, not among what follows them', () => {
  const text = (entry: string) => `services:
  sales-view: { <<: *function, args: { FUNCTION: sales-view } }
${entry}  user-service:
    <<: *function
  door:
    image: caddy

volumes: {}
`;
  const entry = '  stock-view: { <<: *function, args: { FUNCTION: stock-view } }\n';
  expect(inOrder('services')(text(''), request('stock-view'))).toBe(text(entry));
});

test('a list without the model is an error that says where to mend it', () => {
  expect(() => inOrder('images')('images: [a]\n', request('stock-view'))).toThrow('sales-view is not in images: mend');
});
