import { createApp } from 'vue';
import '../shared/page.css';
import './console.css';
import ConsolePage from './ConsolePage.vue';

createApp(ConsolePage).mount('#app');
