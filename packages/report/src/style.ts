/** The page's style sheet. Colours of data are Okabe and Ito's palette, lightened for dark paper where it would be dim. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--muted:#545c66;--rule:#dfe3e8;--wash:#f5f7f9;--link:#00588c;
--series-1:#0072b2;--series-2:#d55e00;--series-3:#009e73;--series-4:#b0528b;--series-5:#1b1f24;--series-6:#b87f00;
--accent:#0072b2;--warn-ink:#5c3500;--warn-paper:#fdebc8;--warn-rule:#e69f00;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--serif:Charter,"Bitstream Charter","Sitka Text",Cambria,"Source Serif 4",Georgia,serif}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e4e8ec;--muted:#a2abb5;--rule:#2f363e;--wash:#1c2128;--link:#7cc4f2;
--series-1:#56b4e9;--series-2:#f0883a;--series-3:#35c79a;--series-4:#dd9cc0;--series-5:#e4e8ec;--series-6:#f0e442;
--accent:#56b4e9;--warn-ink:#ffe3ad;--warn-paper:#3d2b06;--warn-rule:#e69f00}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 var(--serif)}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible,input:focus-visible,.table:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.3rem .6rem;z-index:2}
.research{background:#1b1f24;color:#fff;border-bottom:1px solid var(--rule);font:600 .8125rem/1.4 var(--sans);letter-spacing:.02em;text-align:center;padding:.45rem 1rem}
.synthetic{background:var(--warn-paper);color:var(--warn-ink);border-bottom:3px solid var(--warn-rule);font:.9375rem/1.5 var(--sans);text-align:center;padding:.7rem 1rem}
.synthetic strong{display:inline-block;letter-spacing:.09em;margin-right:.6em}
.page{max-width:70rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
main{min-width:0;max-width:48rem;margin:0 auto}
nav{font:.875rem/1.45 var(--sans);max-width:48rem;margin:0 auto 2rem}
nav h2{font:600 .75rem/1.4 var(--sans);letter-spacing:.08em;text-transform:uppercase;color:var(--muted);margin:0 0 .5rem}
nav ol{list-style:none;margin:0;padding:0;columns:2;column-gap:1.5rem}
nav li{margin:0;padding:.2rem 0;break-inside:avoid}
nav a{color:var(--ink);text-decoration:none}nav a:hover{text-decoration:underline}
@media (min-width:68rem){.page{display:grid;grid-template-columns:12rem minmax(0,48rem);column-gap:4rem;justify-content:center}
main{margin:0}nav{margin:0}nav>*{position:sticky;top:2.2rem}nav h2{top:1.5rem;background:var(--paper)}nav ol{top:3.2rem;columns:1;border-left:1px solid var(--rule);padding-left:1rem}}
header{margin-bottom:2.5rem}
.kicker{font:600 .75rem/1.4 var(--sans);letter-spacing:.08em;text-transform:uppercase;color:var(--muted);margin:0 0 .6rem}
h1{font:600 2rem/1.2 var(--serif);letter-spacing:-.01em;margin:0 0 .8rem;text-wrap:balance;overflow-wrap:anywhere}
.target{font-size:1.1875rem;line-height:1.5;margin:0 0 .5rem;text-wrap:pretty}
.quiet{color:var(--muted);font:.875rem/1.55 var(--sans)}
section{border-top:1px solid var(--rule);padding-top:1.6rem;margin-top:2.6rem;scroll-margin-top:1rem}
section h2{font:600 1.375rem/1.3 var(--serif);margin:0 0 .9rem}
h3{font:600 1.0625rem/1.4 var(--sans);margin:1.6rem 0 .4rem}
p{margin:.6rem 0;text-wrap:pretty}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:0;margin:0 0 1.2rem;border:1px solid var(--rule);border-radius:4px;overflow:hidden;background:var(--rule);gap:1px;font-family:var(--sans)}
.card{background:var(--paper);padding:.85rem 1rem}
.card dt{min-height:2.7em;font-size:.8125rem;line-height:1.35;color:var(--muted);overflow-wrap:anywhere}
.card dd{margin:.2rem 0 0}
.card .figure{display:block;font-size:1.75rem;line-height:1.2;font-weight:600;font-variant-numeric:tabular-nums lining-nums;letter-spacing:-.01em}
.card.lead .figure{color:var(--accent)}
.card .detail{display:block;font-size:.8125rem;line-height:1.4;color:var(--muted);font-variant-numeric:tabular-nums}
@media (max-width:43.99rem){.numbers:has(.legend){order:-1}}
@media (max-width:26rem){.card dt{min-height:0}.cards{grid-template-columns:1fr 1fr}}
figure{margin:1rem 0;min-width:0}
figcaption{font:.8125rem/1.5 var(--sans);color:var(--muted);margin-top:.3rem}
svg.plot{display:block;width:100%;height:auto;overflow:visible}
svg.plot text{font-family:var(--sans);font-variant-numeric:tabular-nums}
.beside{display:grid;grid-template-columns:minmax(0,1fr);gap:0 1.8rem;align-items:start}
@media (min-width:44rem){.beside:has(>.numbers){grid-template-columns:minmax(0,27rem) minmax(0,1fr)}.beside.matrix{grid-template-columns:minmax(0,19rem) minmax(0,1fr)}.legend-title{margin-top:1rem}.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 1.5rem}}
.legend,.rows{list-style:none;margin:0 0 .5rem;padding:0;font:.8125rem/1.5 var(--sans)}
.legend-title{font:.8125rem/1.5 var(--sans);color:var(--muted);margin:0 0 .5rem}
.legend{display:grid;gap:.7rem;margin-bottom:1rem}
.legend-wide .legend{column-gap:1.6rem;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr))}
.legend li{display:grid;grid-template-columns:32px 1fr;gap:.7rem}.legend svg{margin-top:.4em}
.below{display:block;color:var(--muted);white-space:nowrap;font-variant-numeric:tabular-nums}
.whole{white-space:nowrap}
.rows li{display:flex;gap:.6rem;align-items:baseline;padding:.15rem 0}
.swatch{width:.7rem;height:.7rem;border-radius:50%;flex:none}
.number{margin-left:auto;font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:.6rem}
.table{overflow-x:auto;margin:1rem 0 .3rem}
table{border-collapse:collapse;width:100%;font:.8125rem/1.45 var(--sans);font-variant-numeric:tabular-nums lining-nums}
caption{max-width:calc(100vw - 2.5rem);text-align:left;color:var(--muted);padding-bottom:.4rem;text-wrap:pretty}
td{white-space:nowrap}th,td{padding:.36rem .6rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule)}
th:first-child,td:first-child{padding-left:0;text-align:left}
th:last-child,td:last-child{padding-right:0}
thead th,thead td{border-bottom:1.5px solid var(--ink);font-weight:600;vertical-align:bottom}
tbody th{font-weight:400}th.short{white-space:nowrap}
@media (max-width:34rem){table{font-size:.76rem}th,td{padding-left:.35rem;padding-right:.35rem}}
.narrow{display:none}@media screen and (max-width:34rem){.narrow{display:block}.wide{display:none}}
.confusion td{font-size:1rem}.confusion .right-call{background:var(--wash);font-weight:600}
.confusion th:last-child,.confusion td:last-child{padding-right:.6rem;color:var(--muted)}
.provenance td{white-space:normal;text-align:left;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.78rem;overflow-wrap:anywhere}
.provenance thead th{text-align:left}.provenance th{white-space:nowrap}
.download{font:.8125rem/1.4 var(--sans);margin:.2rem 0 .4rem}
.flow{font:.875rem/1.45 var(--sans);margin:1.2rem 0 1.4rem}
.flow span{display:block;color:var(--muted);font-variant-numeric:tabular-nums}
.flow strong{display:block;text-transform:capitalize}
.flow-all,.flow-parts>div{border:1px solid var(--muted);border-radius:4px;padding:.6rem .9rem;background:var(--wash);text-align:center}
.flow-all{width:max-content;min-width:11rem;margin:0 auto}
.flow-parts{display:grid;gap:.8rem;margin-top:2rem;position:relative}
.flow-parts>div{position:relative}
.flow-parts>div::before{content:"";position:absolute;left:50%;top:-1rem;height:1rem;border-left:1px solid var(--muted)}
.flow-parts::before{content:"";position:absolute;left:50%;top:-2rem;height:1rem;border-left:1px solid var(--muted)}
.flow-parts>div::after{content:"";position:absolute;top:-1rem;left:-.45rem;right:-.45rem;border-top:1px solid var(--muted)}
.flow-parts>div:first-child::after{left:50%}.flow-parts>div:last-child::after{right:50%}
@media (max-width:34rem){.flow{font-size:.78rem}.flow-parts{gap:.4rem}.flow-parts>div{padding:.5rem .2rem}.flow-parts>div::after{left:-.25rem;right:-.25rem}}
.described{margin:0 0 1rem}.described dt{font-weight:600}.described dd{margin:0 0 .5rem}
.outline-switch{font:.875rem/1.4 var(--sans)}
.case h3::first-letter{text-transform:uppercase}
.case{margin:1.6rem 0 2.2rem}
.slices{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.7rem;margin:.8rem 0}
@media (max-width:34rem){.slices{grid-template-columns:repeat(2,minmax(0,1fr))}}
.slice{margin:0}.slice svg{display:block;width:100%;height:auto;background:#000;border-radius:2px}
.slice figcaption{display:flex;font-size:.78rem}
.slice img{display:block;width:100%;height:auto;background:#000;border-radius:2px;image-rendering:auto}
.maps h4{font:600 .9375rem/1.4 var(--sans);margin:1rem 0 .2rem}.maps h4::first-letter{text-transform:uppercase}
.slice .outline{stroke:#e69f00;stroke-width:1.6px;stroke-linecap:square}
section:has(.outline-switch input:not(:checked)) .outline{display:none}
.bars rect{fill:var(--series-1)}.bars .even{stroke:var(--ink);stroke-dasharray:3 4}.bars .base{stroke:var(--muted)}.bars text{font-size:13px;fill:var(--muted)}
@media (max-width:34rem){.bars text{font-size:22px}}
.forest{width:100%}
.forest .forest-plot{position:relative;padding:0;width:34%;min-width:7rem}
.forest tbody td,.forest tbody th{border-bottom:0}.forest tbody th .below{white-space:normal;font-size:.75rem}
.forest tbody tr+tr th,.forest tbody tr+tr td{border-top:1px solid var(--rule)}
@media (max-width:34rem){.forest th:first-child{min-width:7.6rem;position:sticky;left:0;background:var(--paper);z-index:1}.forest .forest-plot{min-width:5.8rem}.forest-axis .inner{display:none}}
.forest-plot span{position:absolute}
.forest-reference{top:0;bottom:0;border-left:1px dashed var(--muted)}
.forest-whisker{top:1.05em;border-top:2px solid var(--series-1)}
.forest-whisker::before,.forest-whisker::after{content:"";position:absolute;top:calc(-.3em - 1px);height:.6em;border-left:2px solid var(--series-1)}
.forest-whisker::before{left:0}.forest-whisker::after{right:0}
.forest-mark{top:calc(1.05em + 1px);width:.62rem;height:.62rem;margin:-.31rem 0 0 -.31rem;background:var(--series-1);border:1px solid var(--paper)}
.forest-bar{top:.6em;height:.95em;background:var(--series-1);opacity:.3}
.forest-lead{transform:rotate(45deg)}
.forest-note{display:block;color:var(--muted);white-space:normal;font-size:.75rem;min-width:6rem}
.forest tfoot td{border-bottom:0;border-top:1.5px solid var(--muted);padding:0}.forest tfoot td:not(.forest-plot){border-top:0}
.forest-axis{height:1.7rem}.forest-axis span{top:.25rem;transform:translateX(-50%);font-size:.75rem;color:var(--muted)}
.forest-axis span::before{content:"";position:absolute;left:50%;top:-.25rem;height:.25rem;border-left:1px solid var(--muted)}
.scale{margin:1.4rem 0 1.2rem;font:.8125rem/1.4 var(--sans)}
.scale-line{position:relative;height:.6rem;border:1px solid var(--muted);border-radius:.3rem;background:var(--wash)}
.scale-line span{position:absolute}
.scale-filled{left:0;top:0;bottom:0;background:var(--series-1);opacity:.35;border-radius:.3rem 0 0 .3rem}
.scale-mark{top:50%;width:1rem;height:1rem;margin:-.5rem 0 0 -.5rem;border-radius:50%;background:var(--series-1);border:2px solid var(--paper)}
.scale-threshold{top:-.45rem;bottom:-.45rem;margin-left:-1px;border-left:2px solid var(--ink)}
.scale-prevalence{top:-.45rem;bottom:-.45rem;margin-left:-1px;border-left:2px dotted var(--series-2)}
.scale-ends,.scale-keys{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2rem 1rem;margin-top:.4rem;color:var(--muted)}.scale-keys{justify-content:center;margin-top:.1rem}
.scale-key{display:flex;align-items:center;gap:.4rem}
.scale-key-mark{width:.7rem;height:.7rem;border-radius:50%;background:var(--series-1)}
.scale-key-threshold{height:.9rem;border-left:2px solid var(--ink)}
.scale-key-prevalence{height:.9rem;border-left:2px dotted var(--series-2)}
.words td,.words th{white-space:normal;text-align:left;overflow-wrap:break-word}.words th.short{white-space:nowrap}
.words td{min-width:4rem}.words td:last-child{min-width:10rem;width:40%;overflow-wrap:anywhere}
.blank-line{border-left:3px solid var(--warn-rule);padding-left:.8rem;font:.9375rem/1.55 var(--sans)}
details{margin:.5rem 0}summary{font:.875rem/1.5 var(--sans);color:var(--link);cursor:pointer}
.warnings{border-left:3px solid var(--warn-rule);background:var(--warn-paper);color:var(--warn-ink);margin:0;padding:.8rem 1rem .8rem 2.2rem;font:.9375rem/1.55 var(--sans)}
@page{margin:16mm 15mm 18mm;@bottom-center{content:"Research use only. Not for clinical decisions.";font:600 8pt sans-serif;color:#000}@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#000}}
@media print{body{font-size:10.5pt}.page{padding:1rem 0;max-width:none}main{max-width:none}nav,.skip,.download,.outline-switch,details:not([open]){display:none}
.research{position:static;border:1.5pt solid #000;background:#fff;color:#000}
section{break-inside:auto}figure,.card,.flow,tr,.slice{break-inside:avoid}h2,h3,caption{break-after:avoid}a{color:inherit;text-decoration:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`;
