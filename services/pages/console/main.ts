import { createApp } from 'vue';
import '../shared/page.css';
import ConsolePage from './ConsolePage.vue';

createApp(ConsolePage).mount('#app');
