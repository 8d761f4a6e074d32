// SPDX-License-Identifier: MIT
// The audit as one self-contained HTML page: a table with filters, and for each row both replies and a picture of what is
// mapped before and after.

import { htmlText as text } from '../../text/markup.ts';
import {
  type AuditDocument,
  releasesText,
  SEVERITY_WORDS,
  type ShownRow,
  type ShownVariant,
} from './document.ts';
import { PAGE_SCRIPT, PAGE_STYLE } from './html-assets.ts';
import { mapPicture } from './map-picture.ts';

const confirmedText = ({ confirmed }: { readonly confirmed: readonly string[] }): string =>
  confirmed.length === 0 ? 'unconfirmed' : `confirmed on ${confirmed.join(', ')}`;

const side = (name: string, { answers, rule, says, source }: ShownVariant['legacy']): string =>
  `<td><h4>${name}</h4><p class="answer">${text(answers)}</p><p>${text(says)}</p>` +
  `<p class="source"><code>${text(rule)}</code><br>${text(source)}</p></td>`;

const variant = (shown: ShownVariant): string => {
  const picture = mapPicture(shown.maps);
  return [
    `<section class="variant"><h3>${text(shown.request)}: ${text(shown.what)}</h3>`,
    `<p class="source">${text(releasesText(shown.releases))}; ${text(confirmedText(shown))}${shown.isGenerated ? '; generated at random' : ''}</p>`,
    `<table class="sides"><tr>${side('type1', shown.legacy)}${side('iommufd', shown.compat)}</tr></table>`,
    `<pre>${text(shown.program.join('\n'))}</pre>`,
    picture === undefined ? '' : `<div class="picture">${picture}</div>`,
    '</section>',
  ].join('');
};

const requestsOf = ({ variants }: ShownRow): readonly string[] => [
  ...new Set(variants.map(({ request }) => request.replace(/\(.*/, ''))),
];

const row = (shown: ShownRow, number: number): string => {
  const declared = shown.declared === undefined ? 'no' : 'yes';
  const more = [
    `<p>${text(shown.means)}</p>`,
    shown.declared === undefined ? '' : `<p>Declared: ${text(shown.declared)}</p>`,
    `<p>${text(releasesText(shown.releases))}</p>`,
    `<p class="reproducer"><a href="${text(shown.reproducer)}">${text(shown.reproducer)}</a></p>`,
    ...shown.variants.map(variant),
  ].join('');
  return [
    `<details class="row" id="${text(shown.id)}" data-severity="${shown.severity}" data-declared="${declared}"`,
    ` data-requests="${text(requestsOf(shown).join(' '))}">`,
    `<summary><span class="number">${number}</span><span class="title">${text(shown.title)}</span>`,
    `<span class="request">${text(requestsOf(shown).join(', '))}</span>`,
    `<span class="severity ${shown.severity}">${SEVERITY_WORDS[shown.severity]}</span>`,
    `<span>${declared === 'yes' ? 'declared' : 'undeclared'}</span>`,
    `<span>${text(releasesText(shown.releases))}; ${text(confirmedText(shown))}</span>`,
    `</summary>${more}</details>`,
  ].join('');
};

const option = (value: string, words: string): string =>
  `<option value="${text(value)}">${text(words)}</option>`;

const filters = ({ rows }: AuditDocument): string => {
  const requests = [...new Set(rows.flatMap(requestsOf))].sort();
  return [
    '<form id="filters">',
    `<label>request <select name="request">${option('', 'all')}${requests.map((name) => option(name, name)).join('')}</select></label>`,
    `<label>for a program <select name="severity">${option('', 'all')}${Object.entries(
      SEVERITY_WORDS,
    )
      .map(([value, words]) => option(value, words))
      .join('')}</select></label>`,
    `<label>declared <select name="declared">${option('', 'all')}${option('yes', 'declared')}${option('no', 'undeclared')}</select></label>`,
    '<label>words <input name="words" type="search"></label>',
    '<output id="shown"></output></form>',
  ].join('');
};

export const auditHtml = (document: AuditDocument): string =>
  [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>type1 and iommufd, ${text(document.release)}</title><style>${PAGE_STYLE}</style></head><body>`,
    `<h1>What a program that moves from type1 to iommufd can notice, Linux ${text(document.release)}</h1>`,
    filters(document),
    `<main>${document.rows.map((shown, index) => row(shown, index + 1)).join('\n')}</main>`,
    `<script>${PAGE_SCRIPT}</script></body></html>`,
  ].join('\n');
