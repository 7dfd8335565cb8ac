import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concept, rate, reportOf } from './report.spec-support.ts';
import { renderReport } from './render-report.ts';

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><style>*{display:none}</style>',
  '</title><base href=//elsewhere>',
  '&lt;b&gt; &#x3c;b&#x3e;',
  '{a|b} {value} ${x}',
  'a\u202egnp.exe\u0000\ud800',
];

/** Tags of a page, without what they hold. */
const tagsOf = (page: string): readonly string[] => page.match(/<[a-z!/][^>"']*(?:"[^"]*"|'[^']*'|[^>"'])*>/gi) ?? [];

describe('renderReport', () => {
  it('is the same text for the same data, whatever was rendered before', () => {
    const data = reportOf([concept('cat', 'object'), concept('Neon', 'style')]);
    const first = renderReport(data);
    renderReport(reportOf([concept('dog', 'object')]));
    expect(renderReport(data)).toBe(first);
  });

  it('holds the numbers of every section as text', () => {
    const page = renderReport(reportOf(['cat', 'violin', 'Neon'].map((name) => concept(name, 'object'))));
    for (const said of [
      '97.5 % (89.5 to 100.0 %, 80 images)',
      'at least 95.0 %',
      'Worst kept',
      '1,234',
      '0.50 %',
      'sha256:bbbb',
    ])
      expect(page).toContain(said);
  });

  it('gives the same tags for hostile names and prompts as for plain ones', () => {
    const named = (name: string) => {
      const each = { ...concept(name, 'explicit'), why: name };
      return renderReport({
        ...reportOf([each, concept('b', 'style'), concept('c', 'style')]),
        settings: [{ name, value: name }],
      });
    };
    const shape = (page: string) => tagsOf(page).map((tag) => /^<[/!]?[a-z0-9]*/i.exec(tag)?.[0]);
    const plain = shape(named('plain'));
    for (const name of hostile) expect(shape(named(name))).toEqual(plain);
  });

  it('has no tag, attribute or control character from any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const page = renderReport({
          ...reportOf([]),
          tradeOffs: [],
          overlaps: [],
          settings: [{ name: 'x', value: `(((${text})))` }],
        });
        const said = /\(\(\(([\s\S]*)\)\)\)/.exec(page)?.[1] ?? '<';
        expect(said).not.toMatch(/[<>"'\0]/);
      }),
    );
  });

  it('loads nothing and runs nothing', () => {
    const page = renderReport(reportOf([concept('cat', 'explicit')]));
    expect(page).not.toMatch(/<script|<link|<iframe|<form| on\w+=|url\(|@import/i);
    expect(page.match(/(?:src|href)="(?!#|data:image\/png;base64,)[^"]*"/g)).toBeNull();
    expect(page).not.toMatch(/ style="/);
    expect(page).toContain('default-src &#39;none&#39;');
  });

  it('has no id twice, and every reference has its id', () => {
    const page = renderReport(reportOf(['cat', 'violin', 'Neon'].map((name) => concept(name, 'object'))));
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/(?:href="#|aria-labelledby="|url\(#)([^")]*)/g)) expect(ids).toContain(id);
  });

  it('blurs explicit images alone', () => {
    expect(renderReport(reportOf([concept('x', 'explicit')]))).toContain('type="checkbox"');
    expect(renderReport(reportOf([concept('x', 'object')]))).not.toContain('type="checkbox"');
    // Beside what is explicit: prompts of the rest may name it.
    expect(renderReport(reportOf([{ ...concept('x', 'object'), isVeiled: true }]))).toContain('type="checkbox"');
  });

  it('names what was kept worst, and lists by share of before what was there', () => {
    const bystanders = [
      { name: 'low before', domain: 'object', before: rate(40), after: rate(38) },
      { name: 'worst', domain: 'object', before: rate(80), after: rate(60) },
      { name: 'never known', domain: 'object', before: rate(0), after: rate(0) },
    ];
    const [, worst] = bystanders;
    const page = renderReport(reportOf([{ ...concept('cat', 'object'), bystanders, ...(worst && { worst }) }]));
    expect(page).toContain('Worst kept: <b>worst</b> (object), 75.0 % of before');
    const listed = ['worst', 'low before', 'never known'].map((name) => page.indexOf(`<th scope="row">${name}`));
    expect(listed).toEqual(listed.toSorted((a, b) => a - b));
    expect(listed).not.toContain(-1);
  });

  it('is a page without concepts, masks or images too', () => {
    const bare = { ...concept('cat', 'object'), measures: [], bystanders: [], densities: [], images: [] };
    expect(renderReport(reportOf([bare]))).toContain('<h2 id="concept-0">cat</h2>');
    expect(renderReport({ ...reportOf([]), tradeOffs: [] })).toContain('To repeat it');
  });
});
