/*
 * What Swagger UI lacks for people who cannot see or point: names of its controls, keys that scroll, one control
 * within another. It renders anew at any moment, so each change of the page is looked through. Colours are in page.css.
 */

/** Controls without a name, by what finds them. */
const names = [
  ['#servers', '接口前缀'],
  ['.operation-filter-input', '按分组或路径筛选'],
  ['.examples-select-element', '示例'],
  ['.body-param__text', '请求内容'],
  ['.response-control-media-type select', '返回的类型'],
  ['.opblock-section-request-body select', '请求的类型'],
  ['.close-modal', '关闭'],
  ['input[type=file]', '文件'],
];

/** A control that is none of these belongs to the parameter, or the field of a form, whose row it is in. */
const field = 'input, select, textarea';

function complete() {
  for (const [selector, name] of names) {
    for (const control of document.querySelectorAll(selector)) control.ariaLabel ??= name;
  }
  for (const row of document.querySelectorAll('tr[data-param-name], .parameters > tr')) {
    const name = row.dataset.paramName ?? row.querySelector('.parameter__name')?.textContent;
    for (const control of row.querySelectorAll(field)) control.ariaLabel ??= name;
  }
  for (const button of document.querySelectorAll('.json-schema-2020-12-accordion')) {
    if (button.textContent === '') button.ariaLabel ??= '展开或收起';
  }
  // The name of these says something else than their text.
  for (const button of document.querySelectorAll('.auth-btn-wrapper .modal-btn')) button.ariaLabel = null;
  // A link within a button; opening the call puts its address into the bar all the same.
  for (const link of document.querySelectorAll('.opblock-summary-control a[href]'))
    link.removeAttribute('href');
  for (const text of document.querySelectorAll('.microlight')) text.tabIndex = 0;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const colour = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', colour);
colour();

document.documentElement.lang = 'zh-CN';
const viewport = document.createElement('meta');
viewport.name = 'viewport';
viewport.content = 'width=device-width, initial-scale=1';
document.head.append(viewport);
new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
