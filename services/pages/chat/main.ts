import { createApp } from 'vue';
import '../shared/page.css';
import ChatPage from './ChatPage.vue';

createApp(ChatPage).mount('#app');
