import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterAllTests } from '../../support/at-end.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import {
  befriend,
  goTo,
  hasBrowser,
  numberOf,
  type OpenPage,
  openAs,
  openConsole,
  openPage,
  register,
  seesLast,
  startBrowser,
  write,
} from '../browser.ts';

/** Markup that would run if a page took it as HTML. */
const groupname = '猫和老鼠<img src=x onerror=alert(1)>';

describe.skipIf(!hasBrowser)('groups on the chat page (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let tom: number;
  let jerry: number;
  let gid: number;
  let owner: OpenPage;
  let member: OpenPage;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', '杰瑞');
    const spike = await register(running, 'spike', '斯派克');
    await befriend(running, tom, jerry);
    await befriend(running, tom, spike);
    [owner, member] = await Promise.all([
      openAs(browser, running.url, 'tom'),
      openAs(browser, running.url, 'jerry'),
    ]);
  }, 60_000);

  /** Does something to a member, by the menu in the owner's list. */
  const manage = async (name: string, action: string) => {
    await owner.page.getByRole('button', { name: `更多操作: ${name}` }).click();
    await owner.page.getByRole('button', { name: action, exact: true }).click();
    await owner.page.getByRole('button', { name: action, exact: true }).waitFor({ state: 'hidden' });
  };

  test('are made with contacts, and appear on their pages', async () => {
    const { page } = owner;
    await page.getByRole('link', { name: '新建群聊' }).click();
    await page.getByLabel('群名称').fill(groupname);
    await page.getByLabel('杰瑞').check();
    await page.getByLabel('斯派克').check();
    await page.getByRole('button', { name: '创建' }).click();
    await page.getByText('汤姆创建了群聊').first().waitFor();
    await member.page.getByRole('link', { name: groupname }).click();
    await member.page.getByRole('heading', { name: groupname }).waitFor();
    gid = Number(new URL(page.url()).hash.split('/')[2]);
  });

  test('mention a member, whose list says so', async () => {
    await goTo(member.page, '/me');
    const box = owner.page.getByLabel('输入消息');
    await box.pressSequentially('@杰');
    await owner.page.getByRole('button', { name: '@杰瑞' }).waitFor();
    await box.press('Enter');
    expect(await box.inputValue()).toBe('@杰瑞 ');
    await box.pressSequentially('来');
    await box.press('Enter');
    await member.page.getByRole('link', { name: '[有人@我]' }).waitFor();
    await goTo(member.page, `/group/${gid}`);
    await seesLast(member.page, ['@杰瑞 来']);
    expect(await member.page.getByRole('link', { name: '@杰瑞', exact: true }).getAttribute('href')).toBe(
      `#/friend/${jerry}/about`,
    );
  });

  test('keep a muted member from writing, and the console explains why', async () => {
    await goTo(owner.page, `/group/${gid}/about`);
    await manage('杰瑞', '禁言 10 分钟');
    await write(member.page, '我想说话');
    await member.page.getByRole('alert').filter({ hasText: '你已被禁言' }).waitFor();

    const operator = await openConsole(browser, running);
    await explain(operator.page, jerry, gid);
    await operator.page.getByText('MemberMuted').first().waitFor();
    expect(operator.complaints).toEqual([]);

    await manage('杰瑞', '解除禁言');
    await member.page.getByRole('button', { name: '重试' }).click();
    await goTo(owner.page, `/group/${gid}`);
    await seesLast(owner.page, ['我想说话']);
  });

  test('have managers, a name and a mute for all that every member sees', async () => {
    await goTo(member.page, `/group/${gid}/about`);
    await goTo(owner.page, `/group/${gid}/about`);
    await manage('斯派克', '设为管理员');
    for (const { page } of [owner, member])
      await page
        .getByRole('region', { name: '群成员' })
        .getByRole('listitem')
        .filter({ hasText: '斯派克' })
        .getByText('管理员', { exact: true })
        .waitFor();

    await owner.page.getByLabel('群名称').fill('改了名');
    await owner.page
      .locator('form')
      .filter({ hasText: '群名称' })
      .getByRole('button', { name: '保存' })
      .click();
    await member.page.getByRole('heading', { name: '改了名' }).first().waitFor();

    await owner.page.getByRole('button', { name: '全体禁言', exact: true }).click();
    await goTo(member.page, `/group/${gid}`);
    await member.page.getByText('开启了全体禁言').first().waitFor();
    await write(member.page, '大家好');
    await member.page.getByRole('alert').filter({ hasText: '全体禁言中' }).waitFor();
    await member.page.getByRole('button', { name: '取消', exact: true }).click();
  });

  test('are joined by the address of their QR code, also by who has to register first', async () => {
    await owner.page.getByText('群二维码', { exact: true }).click();
    const picture = owner.page.getByRole('img', { name: '加入「改了名」的二维码' });
    await expect.poll(() => numberOf(picture, 'naturalWidth')).toBeGreaterThan(0);
    const code = await owner.page.getByRole('figure').getByRole('link').getAttribute('href');
    const { page, complaints } = await openPage(browser, code ?? '');
    await page.getByRole('button', { name: '没有账号' }).click();
    await page.getByLabel('用户名').fill('butch');
    await page.getByLabel('昵称').fill('布奇');
    await page.getByLabel('密码', { exact: true }).fill('secret-1');
    await page.getByLabel('手机号码').fill('13800000001');
    await page.getByRole('button', { name: '获取验证码' }).click();
    // The system of this test sends no SMS.
    await page.getByLabel('APP_SECRET').fill(running.secret);
    await page.getByRole('button', { name: '查看验证码' }).click();
    await expect.poll(() => page.getByLabel('短信验证码').inputValue()).toMatch(/^\d{6}$/);
    await page.getByRole('button', { name: '注册', exact: true }).click();
    await page.getByRole('button', { name: '加入群聊' }).click();
    await page.getByText('布奇').first().waitFor();
    await owner.page.getByRole('button', { name: '更多操作: 布奇' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('close for who is removed, and for all when they are dissolved', async () => {
    await manage('杰瑞', '移出群聊');
    await member.page.getByText('你不在这个群聊中').waitFor();
    await owner.page.getByRole('button', { name: '解散群聊' }).click();
    await owner.page.getByText('选择一个会话').waitFor();
    expect(await owner.page.getByRole('link', { name: '改了名' }).count()).toBe(0);
    expect([...owner.complaints, ...member.complaints]).toEqual([]);
  });
});

/** Asks the console whether a person may speak in a group. */
async function explain(page: Page, uid: number, gid: number): Promise<void> {
  await page.getByRole('link', { name: '解释' }).click();
  await page.getByLabel('问题').selectOption({ label: '某人能在群里发言吗?' });
  await page.getByLabel('uid', { exact: true }).fill(String(uid));
  await page.getByLabel('群组 gid').fill(String(gid));
  await page.getByRole('button', { name: '提问' }).click();
}
