// SPDX-License-Identifier: MIT
// The files that a program may open on a real machine: listed independently of the pattern that
// decides it.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mayOpen } from '../../../oracle/safety/permitted.ts';

const law = <T>(values: fc.Arbitrary<T>, holds: (value: T) => void): void =>
  fc.assert(fc.property(values, holds), { numRuns: 2000, seed: 1 });

const paths = suite('files that a program may open');

const isNumber = (text: string): boolean =>
  text.length >= 1 && text.length <= 6 && [...text].every((digit) => '0123456789'.includes(digit));

const allowed = (path: string): boolean => {
  const [root, dev, ...rest] = path.split('/');
  if (root !== '' || dev !== 'dev') return false;
  const [first, second = '', third] = rest;
  if (first === 'iommu') return rest.length === 1;
  if (first !== 'vfio') return false;
  const withoutPrefix = (text: string): string =>
    text.startsWith('noiommu-') ? text.slice('noiommu-'.length) : text;
  if (rest.length === 2) return second === 'vfio' || isNumber(withoutPrefix(second));
  const name = withoutPrefix(third ?? '');
  return rest.length === 3 && second === 'devices' && name.startsWith('vfio')
    ? isNumber(name.slice('vfio'.length))
    : false;
};

const PARTS = [
  '',
  '/',
  '/dev/',
  'iommu',
  'vfio',
  'device-dispatch/',
  'noiommu-',
  '..',
  '.',
  '\n',
  '\0',
];

const someParts = fc
  .array(fc.oneof(fc.constantFrom(...PARTS, '/dev/vfio/', '/dev/vfio/devices/vfio'), fc.nat()), {
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

const names = fc.constantFrom(
  '/dev/iommu',
  '/dev/vfio/vfio',
  '/dev/vfio/0',
  '/dev/vfio/999999',
  '/dev/vfio/noiommu-3',
  '/dev/vfio/devices/vfio12',
);

paths('are VFIO and iommufd files by their own names', () => {
  law(names, (path) => assert.ok(mayOpen(path), path));
  law(someParts, (path) => assert.is(mayOpen(path), allowed(path), JSON.stringify(path)));
});

paths('have nothing before, behind or in between', () => {
  const around = fc.tuple(names, fc.nat({ max: 30 }), fc.constantFrom(...PARTS.slice(1), ' ', '%'));
  law(around, ([path, at, extra]) => {
    const changed = path.slice(0, at) + extra + path.slice(at);
    assert.is(mayOpen(changed), allowed(changed), JSON.stringify(changed));
  });
});

paths.run();
