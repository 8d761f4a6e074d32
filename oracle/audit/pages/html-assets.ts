// SPDX-License-Identifier: MIT
// The page's style, and the script of its filters.

export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: #8886; --faint: #888; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
#filters { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; position: sticky; top: 0;
  background: Canvas; padding: .6rem 0; border-bottom: 1px solid var(--line); }
details.row { border-bottom: 1px solid var(--line); }
details.row[hidden] { display: none; }
summary { display: grid; grid-template-columns: 2.5rem 1fr 14rem 8rem 6rem 10rem; gap: .5rem; padding: .45rem 0; cursor: pointer; }
.number, .request, .source { color: var(--faint); }
.severity.breaks { color: #c0392b; } .severity.differs { color: #b9770e; } .severity.harmless { color: #1e8449; }
table.sides { width: 100%; table-layout: fixed; border-collapse: collapse; }
table.sides td { vertical-align: top; border: 1px solid var(--line); padding: .5rem .8rem; overflow-wrap: anywhere; }
.answer { font-family: ui-monospace, monospace; font-weight: bold; }
h3 { font-size: 1rem; margin: 1rem 0 .4rem; } h4 { margin: 0; font-weight: normal; color: var(--faint); }
pre { overflow-x: auto; padding: .6rem .8rem; border: 1px solid var(--line); font-size: 13px; }
.picture { overflow-x: auto; padding-bottom: .6rem; }
svg.map text { font: 12px ui-monospace, monospace; fill: currentColor; }
svg.map text.iova { font-size: 10px; }
svg.map .baseline { stroke: var(--line); }
svg.map .rw { fill: #2e86c1; } svg.map .r { fill: #58d68d; } svg.map .w { fill: #af7ac5; } svg.map .none { fill: #aab7b8; }
@media (max-width: 60rem) { summary { grid-template-columns: 2.5rem 1fr; } }
`;

export const PAGE_SCRIPT = `
const form = document.getElementById('filters');
const rows = [...document.querySelectorAll('details.row')];
const shown = document.getElementById('shown');
const isShown = (row, wanted) =>
  (wanted.request === '' || row.dataset.requests.split(' ').includes(wanted.request)) &&
  (wanted.severity === '' || row.dataset.severity === wanted.severity) &&
  (wanted.declared === '' || row.dataset.declared === wanted.declared) &&
  (wanted.words === '' || row.textContent.toLowerCase().includes(wanted.words.toLowerCase()));
const update = () => {
  const wanted = Object.fromEntries(new FormData(form));
  for (const row of rows) row.hidden = !isShown(row, wanted);
  const count = rows.filter((row) => !row.hidden).length;
  shown.value = count + ' of ' + rows.length + ' rows';
};
form.addEventListener('input', update);
form.addEventListener('submit', (event) => event.preventDefault());
const open = () => { const row = document.getElementById(location.hash.slice(1)); if (row) row.open = true; };
addEventListener('hashchange', open);
update();
open();
`;
