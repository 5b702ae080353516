/** A bundle and the packages in it → its bill of materials, CycloneDX 1.6: the same bundle gives the same bytes. Pure. */
import type { Package } from './packages.ts';

/** `digest` as digestOf gives it. */
type Product = Package & { readonly digest: string };

const purl = ({ name, version }: Package): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

function licensesOf({ license }: Package): object {
  if (!license) return {};
  if (/ (?:AND|OR|WITH) /.test(license)) return { licenses: [{ expression: license }] };
  return { licenses: [{ license: license.includes(' ') ? { name: license } : { id: license } }] };
}

export function billOfMaterials(product: Product, packages: readonly Package[]): string {
  const components = packages
    .map((one) => ({
      type: 'library',
      'bom-ref': purl(one),
      name: one.name,
      version: one.version,
      ...licensesOf(one),
      purl: purl(one),
    }))
    .sort((a, b) => (a.purl < b.purl ? -1 : 1));
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': product.name,
        name: product.name,
        version: product.version,
        hashes: [{ alg: 'SHA-256', content: product.digest.replace('sha256:', '') }],
        ...licensesOf(product),
      },
    },
    components: components.filter((one, at) => one.purl !== components[at - 1]?.purl),
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}
