// How WeChat draws its built-in components (style v2), as far as pages can tell.

export const BASE = `
:host { --rpx: calc(var(--screen) / 750); --vw: calc(var(--screen) / 100); --vh: calc(var(--tall) / 100); }
page { display: block; min-height: 100%; box-sizing: border-box; font-size: 16px; }
view, label, checkbox-group, scroll-view, official-account { display: block; }
label { display: inline-block; }
text { white-space: pre-line; }
text[user-select] { user-select: text; }
view, text, button { user-select: none; -webkit-tap-highlight-color: transparent; }
[hidden] { display: none !important; }
scroll-view[scroll-x], scroll-view[scroll-y] { overflow: auto; }
image { display: inline-block; width: 320px; height: 240px; overflow: hidden; }
image > img { width: 100%; height: 100%; display: block; object-fit: fill; }
image[empty] > img { visibility: hidden; }
image[mode=widthFix], image[mode=widthFix] > img { height: auto; }
button { display: block; position: relative; margin: 0 auto; padding: 8px 24px; box-sizing: border-box; border: 0;
  border-radius: 4px; background: #f2f2f2; color: #06ae56; font: 700 17px/1.41176471 inherit; font-family: inherit;
  text-align: center; min-height: 40px; cursor: pointer; overflow: hidden; -webkit-font-smoothing: antialiased; }
button:not([size='mini']) { width: 184px; margin-left: auto; margin-right: auto; }
button:active { filter: brightness(.92); }
button[disabled] { color: rgba(0, 0, 0, .2); background: #f2f2f2; cursor: default; }
button[loading]::before { content: ""; display: inline-block; width: 14px; height: 14px; margin-right: 8px; vertical-align: -2px;
  border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
input { display: block; width: 100%; height: 1.4em; padding: 0; border: 0; outline: 0; background: none; font: inherit; color: inherit;
  text-align: inherit; box-sizing: border-box; }
input::placeholder { color: #808080; }
checkbox { display: inline-flex; align-items: center; }
checkbox > input { width: 23px; height: 23px; margin: 0 5px 0 0; flex: none; accent-color: #09bb07; }
official-account { min-width: 300px; height: 84px; box-sizing: border-box; padding: 16px; border-radius: 4px; background: #fff;
  color: #353535; font-size: 15px; border: 1px dashed #b2b2b2; }
official-account > i { font-style: normal; }
`;
