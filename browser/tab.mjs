// One tab with the demo page, as a person sees and uses it.

const WAIT_MS = 45_000;

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

export class Tab {
  /** Opens the page as that user. @param {BrowserContext} context */
  static open(context, origin, uid) {
    return Tab.at(context, `${origin}/?uid=${encodeURIComponent(uid)}`, uid);
  }

  /** Opens the page at that address, as the user whom it names or, without a name, as anyone. */
  static async at(context, address, uid = 'anyone') {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const tab = new Tab(page, uid);
    await page.goto(address);
    return tab;
  }

  constructor(page, uid) {
    this.page = page;
    this.uid = uid;
    /** Exceptions of the page; failed requests while the daemon is away are none. */
    this.errors = [];
    page.on('pageerror', (error) => this.errors.push(`${uid}: ${error}`));
    /** Errors on its console; failed requests are some. */
    this.complaints = [];
    page.on('console', (line) => {
      if (line.type() === 'error') this.complaints.push(`${uid}: ${line.text()}`);
    });
  }

  /** Waits until it is connected over that transport. @param {'ws'|'ajax'} transport */
  async open(transport) {
    await this.page.waitForSelector(`#state[data-open="true"][data-transport="${transport}"]`);
  }

  async closed() {
    await this.page.waitForSelector('#state[data-open="false"]');
  }

  async say(text) {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  /** Sends them as fast as the page can, without waiting for anything in between. */
  async sayAll(texts) {
    await this.page.evaluate((all) => {
      for (const text of all) {
        document.getElementById('message').value = text;
        document.getElementById('compose').requestSubmit();
      }
    }, texts);
  }

  /** Waits for a message. @param {string} [from] whose it must be */
  async sees(text, from) {
    const said = from === undefined ? '#log' : `#log [data-from="${from}"]`;
    await this.page.locator(`${said} .text`).getByText(text, { exact: true }).first().waitFor();
  }

  /** The texts of all messages, oldest first. */
  texts() {
    return this.page.locator('#log .text').allTextContents();
  }

  /** Waits until the list has that user with exactly those marks. */
  async online(uid, marks) {
    await this.page.waitForFunction(
      ([name, wanted]) => {
        const item = document.querySelector(`#online li[data-uid="${CSS.escape(name)}"]`);
        const badges = [...(item?.querySelectorAll('.badge') ?? [])].map((b) => b.textContent);
        return badges.join() === wanted;
      },
      [uid, marks.join()],
    );
  }

  async offline(uid) {
    await this.page.locator(`#online li[data-uid="${uid}"]`).waitFor({ state: 'detached' });
  }

  async click(name) {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  /** A round trip through the backend. @param {string} over the transport's name on the page */
  async pings(over) {
    await this.click('Ping');
    const result = new RegExp(`^Reply “pong” after [\\d.]+ ms over ${over}`);
    await this.page.locator('#ping-result').getByText(result).waitFor();
  }

  async rename(uid) {
    await this.page.getByLabel('Your name').fill(uid);
    await this.click('Change');
    this.uid = uid;
  }
}
