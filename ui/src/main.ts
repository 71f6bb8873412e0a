import './lib/locale';

import { mount } from 'svelte';

import App from './App.svelte';
import './tokens.css';
import './app.css';
import './window.css';
import 'uplot/dist/uPlot.min.css';

const target = document.getElementById('app');
if (target) mount(App, { target });
