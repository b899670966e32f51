// Run by firefox.py: what a person does with a preview and a panel in JupyterLab, in Firefox. The last line of the
// output is what was seen, as JSON.
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

const { program, folder, address, notebook, alt } = JSON.parse(process.argv[2]);
const puppeteer = createRequire(path.join(process.cwd(), "package.json"))(
	"puppeteer-core",
);

const browser = await puppeteer.launch({
	browser: "firefox",
	executablePath: program,
	headless: false, // headless, it has no WebGL without a GPU
	extraPrefsFirefox: {
		"webgl.force-enabled": true,
		"gfx.webrender.software": true,
	},
});
const page = await browser.newPage();
await page.setViewport({ width: 1400, height: 1000 });
page.setDefaultTimeout(120_000);
const errors = [];
page.on(
	"console",
	(message) => message.type() === "error" && errors.push(message.text()),
);
page.on("pageerror", (error) => errors.push(String(error)));

try {
	await page.goto(address);
	await page.waitForFunction(
		(path) =>
			[...(window.jupyterapp?.shell.widgets("main") ?? [])].some(
				(it) => it.context?.path === path && it.isVisible,
			),
		{},
		notebook,
	);
	await page.evaluate(async () => {
		const { context } = window.jupyterapp.shell.currentWidget;
		await context.sessionContext.ready;
		await window.jupyterapp.commands.execute("notebook:run-all-cells");
	});

	/** Wait until the preview in the output of a cell is drawn; the element. */
	async function shown(cell) {
		await page.waitForFunction(
			(cell) => {
				const preview = document
					.querySelectorAll(".jp-Cell")
					[cell].querySelector(".cxw-preview");
				preview?.scrollIntoView({ block: "center" });
				return (
					preview?.dataset.cxwPreviewState === "shown" &&
					JSON.parse(preview.dataset.cxwCamera ?? "null")?.fov
				);
			},
			{},
			cell,
		);
		return (await page.$$(".jp-Cell"))[cell].$(".cxw-preview");
	}

	const cameraOf = (preview) =>
		preview.evaluate((it) => JSON.parse(it.dataset.cxwCamera));

	/** Wait until a preview looks the same for half a second. */
	async function rest(preview) {
		let [before, camera] = ["", JSON.stringify(await cameraOf(preview))];
		while (before !== camera) {
			await new Promise((resolve) => setTimeout(resolve, 500));
			[before, camera] = [camera, JSON.stringify(await cameraOf(preview))];
		}
		return JSON.parse(camera);
	}

	/** Press the button with this text, once it can be pressed. */
	async function press(text) {
		const button = await page.waitForFunction(
			(text) =>
				[...document.querySelectorAll(".cxw-panel button")].find(
					(it) => it.textContent.trim() === text && !it.disabled,
				),
			{},
			text,
		);
		await button.asElement().click();
	}

	const preview = await shown(0);
	const fitted = await rest(preview);
	// The view begins at a whole pixel of the page, so that each pixel of its picture is one of its own.
	await preview.evaluate((it) => {
		const { x, y } = it.querySelector("iframe").getBoundingClientRect();
		Object.assign(it.style, {
			position: "relative",
			left: `${Math.ceil(x) - x}px`,
			top: `${Math.ceil(y) - y}px`,
		});
	});
	const clip = await preview.$eval("iframe", (it) => {
		const { x, y, width, height } = it.getBoundingClientRect();
		return { x, y, width, height };
	});
	await page.screenshot({ path: path.join(folder, "view.png"), clip });

	const middle = [clip.x + clip.width / 2, clip.y + clip.height / 2];
	await page.mouse.move(...middle);
	await page.mouse.down();
	await page.mouse.move(middle[0] + 120, middle[1] - 50, { steps: 10 });
	await page.mouse.up();
	const panned = await rest(preview);

	const panel = await shown(1);
	await rest(panel);
	const field = await page.waitForFunction(() =>
		[...document.querySelectorAll(".cxw-panel textarea")].find((it) =>
			it.labels[0]?.textContent.startsWith("Alt text"),
		),
	);
	await field.asElement().type(alt);
	await press("Review and publish…");
	const box = await page.waitForSelector(
		".cxw-panel [role=dialog] input[type=checkbox]",
	);
	await box.click();
	await press("Publish anyway");
	const receipt = await page.waitForSelector(".cxw-panel .cxw-receipt code");
	const id = await receipt.evaluate((it) => it.textContent);
	const link = await page.$(".cxw-panel .cxw-receipt a");
	const record = await (
		await fetch(await link.evaluate((it) => it.href))
	).json();
	await page.screenshot({ path: path.join(folder, "receipt.png") });
	console.log(JSON.stringify({ errors, fitted, panned, id, record }));
} catch (error) {
	await page.screenshot({ path: path.join(folder, "failed.png") });
	throw error;
} finally {
	await browser.close();
}
