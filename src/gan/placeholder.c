typedef int bl__gan_placeholder;
