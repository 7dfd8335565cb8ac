import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concept, reportOf } from '../../cli/report/report.spec-support.ts';
import { renderReport } from '../../cli/report/render-report.ts';
import { findChromium, launchChromium } from './chromium.ts';

const executable = await findChromium();
const title = executable === undefined ? ' (skipped: no chromium on PATH; Debian: apt-get install chromium)' : '';

const desk = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const longest = 'a picture of a very-long-word-that-nothing-breaks-'.repeat(6);

describe.skipIf(executable === undefined)(`the report in Chromium${title}`, () => {
  let browser: Browser;
  let folder: string;
  let address: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-report-'));
    const file = join(folder, 'report.html');
    const concepts = [
      concept('cat', 'object'),
      concept('Neon', 'style'),
      concept('<img src=x onerror=alert(1)>', 'explicit'),
      { ...concept(longest, 'object'), verdict: 'failed' as const, why: longest },
    ];
    await writeFile(file, renderReport(reportOf(concepts)));
    address = pathToFileURL(file).href;
    browser = await launchChromium(executable ?? '');
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  /** Opens it and does something there; what the page said and asked for meanwhile. */
  async function open(options: BrowserContextOptions, work: (page: Page) => Promise<void>): Promise<string[]> {
    const context = await browser.newContext(options);
    const noticed: string[] = [];
    const page = await context.newPage();
    page.on('console', (message) => noticed.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => noticed.push(error.message));
    page.on('dialog', (dialog) => noticed.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) noticed.push(request.url());
    });
    await page.goto(address, { waitUntil: 'load' });
    await work(page);
    await context.close();
    return noticed;
  }

  it('says nothing to the console, asks for nothing outside, and shows every image and chart', async () => {
    const noticed = await open({ viewport: desk }, async (page) => {
      expect(await page.evaluate('[...document.images].map((image) => image.naturalWidth)')).toEqual(
        new Array<number>(16).fill(64),
      );
      const charts = await page.locator('.chart-wide svg').all();
      // Two a concept, one of overlaps, one trade-off.
      expect(charts).toHaveLength(10);
      for (const chart of charts) expect((await chart.boundingBox())?.height).toBeGreaterThan(60);
    });
    expect(noticed).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'meets WCAG 2.1 AA when %s, at a desk and on a phone',
    async (colorScheme) => {
      for (const viewport of [desk, phone])
        await open({ viewport, colorScheme }, async (page) => {
          await page.evaluate(axe.source);
          const run = `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })`;
          const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(run);
          expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
        });
    },
    60_000,
  );

  it.each(['light', 'dark'] as const)('draws charts that can be told from the page when %s', async (colorScheme) => {
    await open({ viewport: desk, colorScheme }, async (page) => {
      const dark = colorScheme === 'dark';
      const text = await page.evaluate<string>(`getComputedStyle(document.querySelector('.chart-wide svg text')).fill`);
      const [red = 0] = (/\d+/.exec(text) ?? []).map(Number);
      expect(dark ? red > 200 : red < 60).toBe(true);
    });
  });

  it('fits a phone: the page never scrolls sideways', async () => {
    for (const width of [390, 320])
      await open({ viewport: { width, height: 844 } }, async (page) => {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        expect(await page.locator('.chart-wide:visible').count()).toBe(0);
        expect(await page.locator('.chart-narrow:visible').count()).toBe(10);
      });
  });

  it('shows a blurred image by keyboard and by click, each by itself', async () => {
    await open({ viewport: desk }, async (page) => {
      const blurOf = (index: number) =>
        page.evaluate<string>(`getComputedStyle(document.querySelectorAll('.veil img')[${index}]).filter`);
      expect(await blurOf(0)).toContain('blur(');
      expect(await blurOf(2)).toContain('blur(');
      // Only what Tab reaches counts.
      await page.evaluate(`document.querySelector('#concept-2').scrollIntoView()`);
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(`document.activeElement.type === 'checkbox'`)) break;
      }
      await page.keyboard.press('Space');
      expect(await blurOf(0)).toBe('none');
      expect(await blurOf(1)).toBe('none');
      expect(await blurOf(2)).toContain('blur(');
      await page.locator('.veil img').nth(2).click();
      expect(await blurOf(2)).toBe('none');
    });
  });
});
